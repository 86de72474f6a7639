"""The path of a run: list the files → `score_file` for each file → one report at the end."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from textbatch import __version__
from textbatch.data.bad_row_limit import BadRowLimit
from textbatch.data.output.output_format import format_of_output
from textbatch.data.readers.table_formats import check_single_file
from textbatch.data.storage.file_io import is_folder, is_pattern, new_input, new_output
from textbatch.data.storage.location import is_local
from textbatch.data.strict_json import to_json
from textbatch.errors import ConflictError
from textbatch.model.quality.profile import TrainingProfile
from textbatch.report.drift import drift_notes
from textbatch.report.files import job_reported, only_warned, write_json
from textbatch.report.listener import SILENT
from textbatch.report.long_texts import cut_notes
from textbatch.report.priors import prior_notes
from textbatch.report.scoring import RunReport
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.drift_gate import drift_of_models
from textbatch.scoring.drift_history import check_history, judge, with_series
from textbatch.scoring.file_task import FileResult, FileTask, FolderResult
from textbatch.scoring.limits import check_enough
from textbatch.scoring.model_handle import ModelHandle
from textbatch.scoring.model_reports import estimated_of, models_reported, priors_of
from textbatch.scoring.score_file import FileRun


class Run(AbstractContextManager["Run", None], Protocol):
    """A file, an object or a folder to score. Its `with` block holds the output."""

    def run(self) -> FileResult:
        """Score it.

        Raises:
            TextbatchError: Its subclass tells the kind of error.
        """
        ...

    def known(self) -> FileResult:
        """The result so far, after a failure."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The result of a run, for the command line.

    Attributes:
        report: The run's report.
        profiles: Of each model statistics of its training texts and predictions, to compare with.
    """

    report: RunReport
    profiles: tuple[TrainingProfile | None, ...]


def score(
    config: ScoreConfig, *, progress: Progress | None = None, run_id: str | None = None
) -> RunReport:
    """Score files: one output row per input row, in order; complete or not at all.

    Args:
        config: What to score and how.
        progress: Called after every chunk.
        run_id: An id for this run; None makes a new one.

    Returns:
        The run's report.

    Raises:
        TextbatchError: Its subclass tells the kind of error. What stood at the output is unchanged.
    """
    with scored(config, progress=progress, run_id=run_id) as done:
        return done.report


@contextmanager
def scored(
    config: ScoreConfig, *, progress: Progress | None = None, run_id: str | None = None
) -> Iterator[Scored]:
    """Score files, with the models' profiles, with which the report can be compared.

    Until the body ends, nobody else may write the output, and a rerun after a kill knows that the
    job is done. So the body is the place to write what else is told about the run.

    Args:
        config: As in `score`.
        progress: As in `score`.
        run_id: As in `score`.

    Yields:
        The report, and the profile of each model.

    Raises:
        TextbatchError: As in `score`.
    """
    report = _ReportMaker(config, run_id or uuid.uuid4().hex[:16])
    run: Run | None = None

    def so_far() -> dict[str, Any]:
        return report.of(run.known() if run else FileResult(state="failed")).to_dict()

    with ExitStack() as held:
        with job_reported(config, so_far), closing(_model_of(config)) as model:
            check_history(config)
            run = held.enter_context(_run_of(config, report.run_id, model, progress or SILENT))
            result = run.run()
            if result.state == "skipped":
                # An output is taken over whatever limit it was made with, but not past this one.
                counts = result.counts
                BadRowLimit.parse(config.max_bad_rows).check(counts.bad_rows, rows=counts.rows_in)
                check_enough(counts.rows_in, config.min_rows)
                if config.fail_on_drift:
                    judge(config, counts, result.model, result)
        done = with_series(report.of(result), config, result.counts, result.model, result)
        used = result.model.each or (result.model,)
        # A model of another tool that was not calibrated has seen no text: nothing to compare with.
        profiles = tuple(one.profile if one.profile and one.profile.rows else None for one in used)
        done.notes.extend(prior_notes(done))
        done.notes.extend(cut_notes(done, profiles, config.on_long))
        if config.warn_on_drift:
            done.notes.extend(drift_notes(done))
        if config.report:
            with only_warned(f"the report {config.report}", done.notes.append):
                write_json(config.report, done.to_dict())
        yield Scored(report=done, profiles=profiles)


def _model_of(config: ScoreConfig) -> ModelHandle:
    if config.jobs == 1:
        return ModelHandle(config)
    # Here, not at the top: most jobs need no processes.
    from textbatch.scoring.backends.chunk_processes import model_of_run

    return model_of_run(config)


def _run_of(config: ScoreConfig, run_id: str, model: ModelHandle, progress: Progress) -> Run:
    # What a run does not need is not imported: a start takes as long as its imports.
    if _is_folder_job(config):
        if config.adapt_priors:
            raise ConflictError(
                "--adapt-priors finds the mix of labels of one file, and these are several",
                "put the rows into one file, or leave it out",
            )
        if config.shard is not None:
            from textbatch.scoring.folder.share_run import ShareRun

            return ShareRun(config, run_id, model, progress)
        from textbatch.scoring.folder.run import FolderRun

        return FolderRun(config, run_id, model, progress)
    if config.backend != "local":
        raise ConflictError(
            f"--backend {config.backend} spreads the files of a folder, and this is one file",
            "put a / behind the output, or leave --backend out",
        )
    if config.is_sharded:
        flag = "--shard" if config.shard_rows is None else "--shard-rows"
        raise ConflictError(
            f"{flag} makes several parts, and {config.output} is one file",
            "name a folder for them: end the output with /",
        )
    if not config.from_standard_input:
        check_single_file(new_input(config.input))
    if config.to_standard_output:
        from textbatch.scoring.stdout_output import StdoutRun

        return StdoutRun(config, run_id, model, progress)
    place = new_output(config.output)
    if is_local(config.output):
        place.check()  # a device has no name that could say a format
    format_of_output(config.output)
    if place.staged:
        from textbatch.scoring.remote_output import RemoteRun

        return RemoteRun(config, run_id, model, progress)
    return FileRun(FileTask.of(config, run_id), model, progress)


def _is_folder_job(config: ScoreConfig) -> bool:
    """Return whether the output is a directory with one part per input file."""
    if config.from_standard_input:
        return False
    if config.to_standard_output:
        return False
    if config.as_folder or len(config.inputs) > 1 or is_pattern(config.input):
        return True
    return is_folder(config.input) or is_folder(config.output)


class _ReportMaker:
    """Notes when the run began, and makes its report from the result."""

    def __init__(self, config: ScoreConfig, run_id: str) -> None:
        self.run_id = run_id
        self._config = config
        self._started = datetime.now(UTC)
        self._clock = time.perf_counter()

    def of(self, result: FileResult) -> RunReport:
        config, counts, model = self._config, result.counts, result.model
        files = result.files if isinstance(result, FolderResult) else None
        shards = result.shards if isinstance(result, FolderResult) else None
        bad_files = result.bad_files if isinstance(result, FolderResult) else ()
        _, drift = next(drift_of_models(counts, model, result), ("", None))
        return RunReport(
            run_id=self.run_id,
            state=result.state,
            plan=result.plan,
            input=" ".join(map(os.fspath, config.inputs)),
            output=os.fspath(config.output),
            model=str(config.model),
            textbatch=__version__,
            fingerprint=model.fingerprint,
            engine=model.engine,
            device=model.device,
            precision=model.precision,
            started=self._started.isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - self._clock, 3),
            rows_in=result.rows_planned if result.state == "planned" else counts.rows_in,
            rows_out=counts.rows_out,
            rows_quarantined=counts.rows_quarantined,
            rows_resumed=result.rows_resumed,
            rows_per_second=result.rows_per_second,
            statuses=counts.statuses,
            labels=counts.labels,
            labels_withheld=list(model.withheld),
            mean_confidence=counts.mean_confidence,
            confidence_histogram=counts.confidence_histogram,
            tokens=result.tokens,
            unknown_tokens=result.unknown_tokens,
            rows_early=result.rows_early,
            rows_cached=result.rows_cached,
            drift=None if model.each else drift,
            estimated_accuracy=None if model.each else estimated_of(model, counts),
            priors=None if model.each else priors_of(counts),
            models=models_reported(config, result),
            seal=result.seal,
            files=None if files is None else to_json(files),
            shards=None if shards is None else to_json(shards),
            bad_files=to_json(bad_files),
            notes=list(result.notes),
        )
