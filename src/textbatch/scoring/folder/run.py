"""The path of many files: each scored as a job of its own, with one model, into one directory."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime
from typing import Protocol

from textbatch import __version__
from textbatch.data.output.records import InputRecord, PartRecord
from textbatch.data.output.work_directory import WorkDirectory, work_directory_of
from textbatch.data.readers.listing import ListedFile, list_inputs
from textbatch.data.storage.file_io import is_folder, is_pattern
from textbatch.errors import TooManyBadRowsError
from textbatch.failpoints import failpoint
from textbatch.report.scoring import RunReport
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.folder.checks import check_apart, check_columns
from textbatch.scoring.folder.job import FolderJob, finish, prepare_place
from textbatch.scoring.folder.plan import check_existing, open_folder, plan
from textbatch.scoring.folder.totals import PartProgress, Totals
from textbatch.scoring.job import LoadedModel
from textbatch.scoring.limits import BadRowLimit


class ScoreFile(Protocol):
    """Scores one file into one file."""

    def __call__(
        self, config: ScoreConfig, report: RunReport, progress: Progress, model: LoadedModel
    ) -> None:
        """Score it, and fill the report."""
        ...


def is_folder_job(config: ScoreConfig) -> bool:
    """Whether the output is a directory with one part per input file."""
    if config.from_standard_input:
        return False
    if config.as_folder or len(config.inputs) > 1 or is_pattern(config.input):
        return True
    return is_folder(config.input) or is_folder(config.output)


def score_files(
    config: ScoreConfig,
    report: RunReport,
    progress: Progress,
    model: LoadedModel,
    *,
    score_file: ScoreFile,
) -> None:
    """Score every input file into its part of the output directory, then write `_SUCCESS`.

    Each part appears whole or not at all. An interrupted job goes on at its first unfinished file,
    and within it.

    Args:
        config: What to score and how.
        report: Filled with the totals.
        progress: Told about all files as if they were one.
        model: Loaded once.
        score_file: What scores one of them.

    Raises:
        TextbatchError: A subclass says what went wrong; the parts that are finished stay.
    """
    folder = open_folder(config)
    # Cheap checks first: a wrong path must not cost the time to load a model.
    check_existing(config, folder, inherited=work_directory_of(folder.lock_place).is_dir())
    listing = list_inputs(config.inputs, config.input_format)
    report.notes.extend(listing.notes())
    check_apart(config, listing)
    if config.dry_run:
        job = plan(config, listing, folder, model.bundle(report))
        found = check_columns(config, job.todo, job.text_column, read_all=True)
        model.predictor(report)
        report.state, report.rows_in = "planned", found.rows
        report.files = job.counts(scored=len(job.todo))
        return
    work = WorkDirectory(folder.lock_place, report.run_id)
    keep = work.inherited
    try:
        check_existing(config, folder, inherited=work.inherited)
        job = plan(config, listing, folder, model.bundle(report), work)
        with closing(job.ledger):
            try:
                if not job.is_done(report):
                    _Run(job, report, progress, model, score_file).score()
                job.ledger.remove()
                keep = False
            except BaseException:
                keep = keep or job.ledger.begun
                raise
    finally:
        work.release(keep=keep)


class _Run:
    """Scores the files of a job, one after the other."""

    def __init__(
        self,
        job: FolderJob,
        report: RunReport,
        progress: Progress,
        model: LoadedModel,
        score_file: ScoreFile,
    ) -> None:
        self._job, self._report, self._model = job, report, model
        self._score_file = score_file
        self._limit = BadRowLimit.parse(job.config.max_bad_rows)
        self._totals = Totals()
        self._progress = PartProgress(progress, sum(file.size for file in job.todo))
        progress.begin(None)

    def score(self) -> None:
        """Score what is left to score, and finish the output."""
        job, report = self._job, self._report
        todo = job.todo
        for record in job.resumed():
            self._totals.add(record, resumed=True)
        found = check_columns(job.config, todo, job.text_column, read_all=False)
        if found.odd:
            report.notes.append(
                f"{found.odd} of {len(todo)} files have other columns or types than most; "
                "so have their parts"
            )
        prepare_place(job)
        # From here on the directory is not empty: the next run must know whose it is.
        job.ledger.begin()
        started, scored = time.perf_counter(), 0
        try:
            for file in todo:
                self._note(file, self._scored(file))
                scored += 1
            self._check_bad_rows()
            finish(job, report)
        except BaseException:
            report.notes.append(f"{len(todo) - scored} of {len(job.listing.files)} files are left")
            raise
        finally:
            report.files = job.counts(scored=scored)
            self._totals.fill(report, seconds=time.perf_counter() - started)
        report.state = "done"

    def _scored(self, file: ListedFile) -> RunReport:
        """Score a file."""
        file.check_unchanged()
        self._progress.next(file.size)
        one = RunReport(
            run_id=self._report.run_id,
            input=file.name,
            output=file.part,
            model=self._report.model,
            textbatch=__version__,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        try:
            config = self._job.config_of(file, max_bad_rows=self._bad_rows_left())
            self._score_file(config, one, self._progress, self._model)
        except TooManyBadRowsError as error:
            if not self._totals.bad_rows:
                raise
            before = f"; there were {self._totals.bad_rows} in the files before {file.path}"
            raise TooManyBadRowsError(error.what + before, error.remedy) from error
        finally:
            told = self._report
            told.engine, told.device = one.engine or told.engine, one.device or told.device
            told.precision = one.precision or told.precision
        self._job.folder.publish(file.part)
        failpoint("part-published")
        return one

    def _note(self, file: ListedFile, one: RunReport) -> None:
        assert one.rows_in is not None
        assert one.seal is not None
        record = PartRecord(
            part=file.part,
            state=file.state,
            input=InputRecord(name=file.name, size=file.size, version=file.version),
            job=self._job.key,
            run_id=one.run_id,
            rows_in=one.rows_in,
            rows_out=one.rows_out,
            rows_quarantined=one.rows_quarantined,
            # A part that was put in place just before the last run died was there already.
            rows_resumed=one.rows_in if one.state == "skipped" else one.rows_resumed,
            statuses=one.statuses,
            labels=one.labels,
            mean_confidence=one.mean_confidence,
            confidence_histogram=one.confidence_histogram,
            tokens=one.tokens,
            unknown_tokens=one.unknown_tokens,
            seal=one.seal,
        )
        self._job.ledger.add(record)
        self._totals.add(record)
        failpoint("part-noted")

    def _bad_rows_left(self) -> int | str:
        """What one file may have of `--max-bad-rows`; of a share that is known only at the end."""
        if self._limit.share is not None:
            return "100%"
        return max(0, self._limit.count - self._totals.bad_rows)

    def _check_bad_rows(self) -> None:
        if self._limit.exceeded(self._totals.bad_rows, rows=self._totals.rows_in):
            raise TooManyBadRowsError(
                f"{self._totals.bad_rows} of {self._totals.rows_in} rows are bad; "
                f"--max-bad-rows allows {self._limit.text}",
                "mend them, or allow that many",
            )
