"""The path of one file, end to end: read → predict → assemble → write → commit."""

from __future__ import annotations

import os
from collections import deque
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

from textbatch.data.output.journal import OtherTextsError
from textbatch.data.output.output_writer import OutputWriter
from textbatch.data.output.records import RowCounts
from textbatch.data.output.work_directory import WorkDirectory, work_directory_of
from textbatch.data.readers.stdin import spool_standard_input
from textbatch.data.storage.atomic_file import temporary_of
from textbatch.data.storage.file_io import new_output
from textbatch.data.storage.location import Location
from textbatch.errors import DataError, OutOfMemoryError, StorageError, TextbatchError
from textbatch.report.listener import SILENT
from textbatch.report.terminal.pace import BYTES
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.scoring.bad_row_filter import BadRowFilter
from textbatch.scoring.chunk_predictor import ChunkPredictor
from textbatch.scoring.chunks import predict_chunks
from textbatch.scoring.drift_history import judge
from textbatch.scoring.existing import already_there
from textbatch.scoring.file_task import FileResult, FileTask, Plan, State
from textbatch.scoring.job import Job, footer_of, open_output_of, open_quarantine, prepare
from textbatch.scoring.journals import open_journal
from textbatch.scoring.limits import check_enough, check_room, check_rows
from textbatch.scoring.model_handle import ModelHandle
from textbatch.scoring.prior_pass import Adaptation, find_priors
from textbatch.scoring.read_ahead import is_one_chunk, read_ahead
from textbatch.scoring.tally import Tally, work_since
from textbatch.scoring.wanted import check_wanted, take_output


def score_file(
    task: FileTask, model: ModelHandle | None = None, progress: Progress | None = None
) -> FileResult:
    """Score one file into one file: one output row per input row; complete or not at all.

    Task and result can be pickled, so that another process can do the work.

    Args:
        task: What to score, and where to write.
        model: A model that several files of a run share; None loads one for this task.
        progress: Called after every chunk.

    Returns:
        The result.

    Raises:
        TextbatchError: Its subclass tells the kind of error. What stood at the output is unchanged.
    """
    with ExitStack() as opened:
        own = model or opened.enter_context(closing(ModelHandle(task.config)))
        return opened.enter_context(FileRun(task, own, progress)).run()


class FileRun:
    """Scores one file. After a failure, `known` tells how far it came.

    Its `with` block ends when all about the run is written. Until then the work directory stays, so
    that a run that is killed knows, when it is run again, that it was done.
    """

    def __init__(self, task: FileTask, model: ModelHandle, progress: Progress | None) -> None:
        """Nothing is done yet.

        Args:
            task: What to score.
            model: Loaded when it is needed; its owner closes it.
            progress: Called after every chunk.
        """
        self._task, self._model = task, model
        self._progress = progress or SILENT
        self._work: WorkDirectory | None = None
        self._tally: Tally | None = None
        self._output: OutputWriter | None = None
        self._bad_rows: BadRowFilter | None = None
        self._is_unlocked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._work is None and error is not None and self._is_unlocked:
            # A signal may have come just after the file was made.
            with suppress(OSError):
                temporary_of(self._task.output, self._task.run_id).unlink()
        if self._work is not None:
            work, self._work = self._work, None
            keep = may_succeed_later(error) and (work.journal.exists() or self._is_published)
            work.release(keep=keep)

    def run(self) -> FileResult:
        """Score the file; see `score_file`."""
        task = self._task
        # Quick checks first: the user must not wait for the model to hear of a wrong path.
        place = new_output(task.output)
        died_here = work_directory_of(task.output).is_dir()
        place.check(overwrite=task.if_exists != "fail" or died_here)
        if task.quarantine:
            new_output(task.quarantine).check(stream=True)
        if task.config.dry_run:
            return self._planned()
        self._is_unlocked = self._needs_no_lock(died_here=died_here)
        if not self._is_unlocked:
            task = self._taken()
        job = prepare(task, self._model)
        if self._is_unlocked and not is_one_chunk(job):
            self._is_unlocked = False
            self._taken()
        there = already_there(task.output, job, self._model.used)
        return there or self._scored_anew(job)

    def known(self, state: State = "failed") -> FileResult:
        """The result so far.

        Args:
            state: How the file ended.
        """
        counts = self._counts()
        return FileResult(
            state=state,
            counts=counts,
            model=self._model.used,
            rows_per_second=self._tally.rate(counts.rows_in) if self._tally else None,
        )

    def _needs_no_lock(self, *, died_here: bool) -> bool:
        """Whether nobody else can be at this output, and no earlier run has left anything."""
        task = self._task
        alone = task.by_job.lock and task.quarantine is None and not died_here
        return alone and not os.path.lexists(temporary_of(task.output, task.run_id))

    def _taken(self) -> FileTask:
        """Take the lock, and remove what dead runs left. The task with its input as a file."""
        task = self._task
        work = self._work = take_output(task)
        new_output(task.output).check(overwrite=task.if_exists != "fail" or work.inherited)
        work.remove_leftovers(owner=task.run_id if task.by_job.leftovers else None)
        if task.from_standard_input:
            with step_of(self._progress, None, step="reading stdin", unit=BYTES) as step:
                spool_standard_input(work.spool, on_bytes=step.advance)
            task = replace(task, input=work.spool)
        return task

    def _planned(self) -> FileResult:
        """What a run would do, found out without writing anything."""
        task = self._task
        job = prepare(task, self._model)
        if there := already_there(task.output, job, self._model.used):
            return as_planned(task.output, there)
        check_enough(job.source.num_rows, task.min_rows)
        self._model.predictor()
        room = check_room(task.output, job.identity.state.size, task.config.columns)
        plan: Plan = "replace" if new_output(task.output).exists() else "score"
        plan = "resume" if work_directory_of(task.output).is_dir() else plan
        return replace(
            self.known("planned"),
            plan=plan,
            rows_planned=job.source.num_rows,
            notes=(*job.source.notes, *room),
        )

    def _scored_anew(self, job: Job) -> FileResult:
        """Score the file, a second time where the journal turns out to be of other texts."""
        try:
            return self._scored(job, self._model.chunk_predictor(job.source.num_rows))
        except OtherTextsError:
            again = prepare(job.task, self._model)
            return self._scored(again, self._model.chunk_predictor(again.source.num_rows))

    def _scored(self, job: Job, predictor: ChunkPredictor) -> FileResult:
        before, cached, task = predictor.work, predictor.cached_rows, job.task  # of earlier files
        with ExitStack() as opened:
            tally = self._tally = Tally(job.bundles)
            adaptation, noted = Adaptation(), None
            if task.config.adapt_priors:
                adaptation, noted = find_priors(job, predictor, self._work, self._progress)
                # It is read once more, and must be what it was.
                again = prepare(task, self._model)
                job = replace(again, identity=job.identity, key=job.key)
            output = self._output = open_output_of(job)
            try:
                filtering = BadRowFilter(task.bad_rows, open_quarantine(task), job.source)
                bad_rows = self._bad_rows = opened.enter_context(closing(filtering))
                journal = opened.enter_context(closing(open_journal(job, self._work)))
                self._progress.begin(job.source.num_rows, step="writing" if noted else "scoring")
                # Chunks are read ahead: the share that is done is that of the chunk that is.
                shares: deque[float | None] = deque()
                with read_ahead(job, shares) as chunks:
                    for chunk, predictions in predict_chunks(chunks, predictor, journal):
                        kept, own = bad_rows.filter(chunk, predictions)
                        answers = adaptation.adapted(own)
                        batch, answered = job.added.assemble(kept, answers, job.schema)
                        output.write(batch)
                        tally.add(answered, kept.texts, own)
                        bad_rows.check()
                        check_wanted(task)
                        self._progress.advance(len(chunk), shares.popleft())
                journal.finish()
                bad_rows.finish()
                counts = tally.counts(quarantined=bad_rows.quarantined, priors=adaptation.each)
                rate = tally.rate(counts.rows_in)
                check_rows(job.source, counts, output.rows)
                check_enough(counts.rows_in, job.task.min_rows)
                work = work_since(before, predictor.work, job.bundles.names)
                if task.whole_job and task.config.fail_on_drift:
                    judge(task.config, counts, self._model.used, FileResult(state="failed", **work))
                mark = job.identity.mark()
                job.identity.check_unchanged()
                check_wanted(task)
                bad_rows.publish()
                footer = footer_of(job, counts, predictor.engine.precision, mark)
                output.commit(footer.to_entries(), sync=not task.by_job.syncs)
            except BaseException as error:
                output.abort()
                if isinstance(error, DataError):
                    # A file that is being rewritten meanwhile looks damaged: say that instead.
                    job.identity.check_unchanged()
                raise
        return FileResult(
            state="done",
            counts=counts,
            model=self._model.used,
            rows_resumed=(noted or journal).rows_resumed,
            rows_per_second=rate,
            **work,
            rows_cached=predictor.cached_rows - cached,
            seal=output.seal,
            input=mark,
            notes=(*(noted or journal).notes(), *job.source.notes, *output.notes),
        )

    @property
    def _is_published(self) -> bool:
        return self._output is not None and self._output.published

    def _counts(self) -> RowCounts:
        """The counts so far; no row counts as written before the output is published."""
        if self._tally is None:
            return RowCounts()
        quarantined = self._bad_rows.quarantined if self._bad_rows else 0
        counts = self._tally.counts(quarantined=quarantined)
        return counts if self._is_published else replace(counts, rows_out=0)


def as_planned(output: Location, there: FileResult) -> FileResult:
    """What a dry run tells where the run would skip: the output is there, of the same job.

    Args:
        output: Its place.
        there: What the run would tell.
    """
    return replace(
        there,
        state="planned",
        plan="skip",
        rows_planned=there.counts.rows_in,
        notes=(f"{output} is already there, of the same job: there is nothing to do",),
    )


def may_succeed_later(error: BaseException | None) -> bool:
    """Whether to keep the journal: not if input, model or command must be changed first.

    Args:
        error: What ended the run; None if it ended well.
    """
    if isinstance(error, TextbatchError):
        return isinstance(error, StorageError | OutOfMemoryError)
    return error is not None
