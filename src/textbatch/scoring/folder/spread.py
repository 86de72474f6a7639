"""The files of a job are scored, one after the other or several at a time, and noted when done."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from textbatch.data.bad_row_limit import BadRowLimit
from textbatch.data.output.holder import Holder
from textbatch.data.output.journal import SYNC_SECONDS
from textbatch.data.readers.json_types import JsonTypes
from textbatch.data.readers.listing import ListedFile
from textbatch.errors import DataError, TextbatchError, TooManyBadRowsError
from textbatch.failpoints import failpoint
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.backends.choose import needs_workers, open_workers
from textbatch.scoring.backends.here import Here
from textbatch.scoring.backends.port import Backend, Outcome
from textbatch.scoring.backends.told import AllWorkers
from textbatch.scoring.file_task import DoneByJob, FileResult, ModelUsed
from textbatch.scoring.folder.job import FolderJob
from textbatch.scoring.folder.notes import FileNotes
from textbatch.scoring.folder.parts import record_of
from textbatch.scoring.folder.totals import PartProgress, Totals
from textbatch.scoring.limits import check_enough
from textbatch.scoring.model_handle import ModelHandle

#: The command line has Python look for cycles of dead objects very seldom. Those of this many parts
#: are few, and those of thousands would fill the memory.
_TIDY_EVERY = 50


@dataclass(frozen=True, slots=True)
class _Submitted:
    """A file that is being scored.

    Attributes:
        file: The file.
        bad_before: Bad rows that were known when it began.
        replaces: Whether its part replaces one.
    """

    file: ListedFile
    bad_before: int
    replaces: bool


class Spread:
    """Scores the files of a job. This process alone notes which are done.

    Attributes:
        totals: The counts of all files so far.
        notes: What is told of files that this run has finished.
        scored: The parts of the files that this run has finished.
        resumed: How many files an interrupted run had finished, which are counted too.
        started: When it began.
    """

    def __init__(
        self,
        job: FolderJob,
        types: Mapping[str, JsonTypes],
        run_id: str,
        model: ModelHandle,
        progress: Progress,
    ) -> None:
        """Count what an interrupted run has finished.

        Args:
            job: The job.
            types: What JSON Lines files are read as, by their parts.
            run_id: This run's id.
            model: For a job without worker processes.
            progress: Called with the progress of all files together.
        """
        self.totals, self.notes, self.started = Totals(), FileNotes(), time.perf_counter()
        self.scored: set[str] = set()
        self.resumed = 0
        self._used: ModelUsed | None = None
        self._job, self._types, self._run_id, self._model = job, types, run_id, model
        self._limit = BadRowLimit.parse(job.config.max_bad_rows)
        size = sum(file.size for file in job.todo)
        self._progress = PartProgress(progress, size)
        self._workers = AllWorkers(job.folder.lock_place, progress, size)
        self._holder: Holder | None = None
        self._submitted: dict[Path, _Submitted] = {}
        self._synced = time.monotonic()
        self._failed: list[tuple[str, Exception]] = []
        self._stopped = False
        progress.begin(None)
        names = {file.part: file.file for file in job.listing.files}
        for record in job.resumed():
            self.totals.add(record, resumed=True)
            self.resumed += 1
            self.notes.add(names[record.part], record.notes)

    @property
    def used(self) -> ModelUsed:
        """The model that predicted, as the last file tells."""
        return self._used or self._model.used

    def score(self) -> None:
        """Score the files that are left.

        Raises:
            TextbatchError: A file could not be scored. Where only this file is to blame, the others
                are scored nevertheless: a rerun then needs the bad ones only.
        """
        self.started = time.perf_counter()
        files = iter(self._job.good)
        with closing(self._backend()) as backend:
            self._submit(files, backend)
            for outcome in backend.as_completed():
                self._take(outcome)
                if not self._stopped:
                    self._submit(files, backend)
        self._sync()
        self._raise_failed()
        self._job.bad.check()
        rows = self.totals.totals()
        self._limit.check(rows.bad_rows, rows=rows.rows_in)
        check_enough(rows.rows_in, self._job.config.min_rows)

    def _backend(self) -> Backend:
        config, count = self._job.config, len(self._job.good)
        if needs_workers(config, count):
            self._holder = Holder.this_process(self._job.lock_place, self._run_id)
            self._workers.listen()
            return open_workers(config, count, self._model.place, self._workers.look)
        return Here(self._model, self._progress)

    def _submit(self, files: Iterator[ListedFile], backend: Backend) -> None:
        """Submit as many files as there are free workers."""
        while len(self._submitted) < backend.width and (file := next(files, None)):
            with self._job.bad.noted(file, kept=self._job.keeps(file)):
                file.check_unchanged()
                bad_before = self.totals.totals().bad_rows
                task = self._job.task_of(
                    file,
                    bad_rows=self._limit.left(bad_before),
                    read_as=self._types.get(file.part),
                    by_job=self._done_by_job(),
                )
                if self._holder is None:
                    self._progress.next(file.size)
                else:
                    told = self._workers.begin(file.size)
                    task = replace(task, holder=self._holder, told=told)
                backend.submit(task)
                self._submitted[task.output.absolute()] = _Submitted(
                    file, bad_before, replaces=self._job.folder.has(file.part)
                )

    def _done_by_job(self) -> DoneByJob:
        """What need not be done for each file."""
        here = self._holder is None
        return DoneByJob(
            leftovers=True,
            # Workers of an earlier run may still be there, and shares may have parts in common.
            lock=here and not self._job.inherited,
            # Another machine's directory is its own.
            syncs=here or self._job.config.backend == "local",
        )

    def _take(self, outcome: Outcome) -> None:
        submitted = self._submitted.pop(outcome.task.output.absolute())
        file, bad_before = submitted.file, submitted.bad_before
        if outcome.task.told:
            rows = outcome.result.counts.rows_in if outcome.result else 0
            self._workers.end(outcome.task.told, rows)
        if isinstance(outcome.error, DataError):
            self._job.bad.add(file, outcome.error, kept=self._job.keeps(file))
        elif outcome.error is not None:
            self._fail(file, outcome.error, bad_before)
            self._stopped = self._stopped or not outcome.alone
        else:
            assert outcome.result is not None
            self._finish(file, outcome.result, replaces=submitted.replaces)
            # Files that are scored at the same time can have too many bad rows only together.
            bad = self.totals.totals().bad_rows
            self._stopped = self._stopped or self._limit.exceeded(bad, rows=None)

    def _finish(self, file: ListedFile, result: FileResult, *, replaces: bool) -> None:
        self._job.folder.publish(file.part)
        failpoint("part-published")
        record = record_of(self._job, file, result, self._run_id)
        # If a power cut undoes what was not synced, a line has no part, which is then made again.
        # Where another part has its name, that one would be taken for it: it must be gone first.
        is_time = replaces or time.monotonic() - self._synced >= SYNC_SECONDS
        if is_time:
            self._job.folder.sync()
            self._synced = time.monotonic()
        self._job.ledger.add(record, sync=is_time)
        self.totals.add(record)
        failpoint("part-noted")
        self.scored.add(file.part)
        if not len(self.scored) % _TIDY_EVERY:
            gc.collect(0)
        self.notes.add(file.file, record.notes)
        self._used = result.model

    def _sync(self) -> None:
        """Write to the disk what was not written yet."""
        self._job.folder.sync()
        self._job.ledger.sync()

    def _fail(self, file: ListedFile, error: Exception, bad_before: int) -> None:
        if isinstance(error, TooManyBadRowsError) and bad_before:
            before = f"; there were {bad_before} in the files before {file.path}"
            told = TooManyBadRowsError(error.what + before, error.remedy)
            told.__cause__ = error
            error = told
        self._failed.append((file.part, error))

    def _raise_failed(self) -> None:
        """Raise the error of the first file that failed."""
        if not self._failed:
            return
        _, first = min(self._failed, key=lambda failed: failed[0])
        if isinstance(first, TextbatchError) and len(self._failed) > 1:
            first.what += f" ({len(self._failed) - 1:,} more files failed)"
        raise first
