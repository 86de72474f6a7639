"""`--adapt-priors`: a first pass over a file, which finds the mix of labels that it has.

The answers go into the journal, from which the second pass takes them. So a job that is killed in
either pass goes on where it stopped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from textbatch.data.output.adapted import AdaptedPriors
from textbatch.data.output.journal import Journal
from textbatch.data.output.work_directory import WorkDirectory
from textbatch.errors import DataError
from textbatch.model.quality.priors import AnswerSample, adapted_priors, ratios_of, reweighted
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.bad_row_filter import BadRowFilter
from textbatch.scoring.chunk_predictor import ChunkPredictor
from textbatch.scoring.chunks import predict_chunks
from textbatch.scoring.job import Job
from textbatch.scoring.journals import open_journal
from textbatch.scoring.read_ahead import read_ahead
from textbatch.scoring.wanted import check_wanted
from textbatch.types import Predictions, has_evidence


@dataclass(frozen=True, slots=True)
class Adaptation:
    """How the answers to a file are adapted to its mix of labels.

    Attributes:
        each: For each model what was found; empty where it was not asked for.
    """

    each: tuple[AdaptedPriors, ...] = ()

    def adapted(self, predictions: Predictions) -> Predictions:
        """The answers that the output gets.

        Args:
            predictions: The models' own.
        """
        if not any(one.adapted for one in self.each):
            return predictions
        return Predictions.together(list(self._adapted(predictions)))

    def _adapted(self, predictions: Predictions) -> Iterator[Predictions]:
        for found, alone in zip(self.each, predictions.each, strict=True):
            if found.adapted:
                changed = reweighted(alone.probabilities, ratios_of(found))
                yield replace(alone, probabilities=changed)
            else:
                yield alone


def find_priors(
    job: Job, predictor: ChunkPredictor, work: WorkDirectory | None, progress: Progress
) -> tuple[Adaptation, Journal]:
    """Answer all rows of a file, note the answers, and estimate the mix of labels.

    Args:
        job: The file. Its input is read to the end.
        predictor: What answers.
        work: Where the answers are noted.
        progress: Called after every chunk.

    Returns:
        What was found, and the journal, which is closed: it tells what was resumed.

    Raises:
        OtherTextsError: The journal has answers to other texts.
        TextbatchError: As in `score_file`.
    """
    samples = [AnswerSample(len(one.labels)) for one in job.bundles.each]
    # Bad rows end a job here, not only after the first pass.
    bad_rows = BadRowFilter(job.task.bad_rows, None, job.source)
    shares: deque[float | None] = deque()
    progress.begin(job.source.num_rows)
    try:
        with closing(open_journal(job, work)) as journal, read_ahead(job, shares) as chunks:
            for chunk, predictions in predict_chunks(chunks, predictor, journal):
                for sample, alone in zip(samples, predictions.each, strict=True):
                    sample.add(alone.probabilities, has_evidence(alone.status))
                bad_rows.filter(chunk, predictions)
                bad_rows.check()
                check_wanted(job.task)
                progress.advance(len(chunk), shares.popleft())
            journal.finish()
    except DataError:
        # A file that is being rewritten meanwhile looks damaged: say that instead.
        job.identity.check_unchanged()
        raise
    found = []
    for sample, bundle in zip(samples, job.bundles.each, strict=True):
        assert bundle.reference is not None
        found.append(adapted_priors(sample.sampled(), bundle.reference, bundle.labels))
    return Adaptation(tuple(found)), journal
