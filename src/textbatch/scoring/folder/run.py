"""The path of many files: each is one task; they share a model and an output directory."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from types import TracebackType
from typing import Self

from textbatch.data.output.folder import MANIFEST
from textbatch.data.output.records import RowCounts, Success
from textbatch.data.output.work_directory import WorkDirectory, work_directory_of
from textbatch.data.readers.listing import list_inputs
from textbatch.data.storage.file_io import new_output
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.backends.choose import check_installed
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.drift_history import judge
from textbatch.scoring.file_task import FolderResult, State
from textbatch.scoring.folder.checks import check_columns, room_for
from textbatch.scoring.folder.ending import check_owned, finish, prepare_place
from textbatch.scoring.folder.job import FolderJob
from textbatch.scoring.folder.plan import check_existing, open_folder, plan
from textbatch.scoring.folder.spread import Spread
from textbatch.scoring.limits import check_enough
from textbatch.scoring.model_handle import ModelHandle
from textbatch.scoring.score_file import may_succeed_later


class FolderRun:
    """Scores every input file into its part of the output directory, then writes `_SUCCESS`.

    Each part appears complete or not at all. After an interruption a rerun goes on with the first
    unfinished file, at the row where the journal of this file ends. As to the `with` block, see
    `FileRun`.
    """

    def __init__(
        self, config: ScoreConfig, run_id: str, model: ModelHandle, progress: Progress
    ) -> None:
        """Nothing is done yet.

        Args:
            config: What to score and how.
            run_id: This run's id.
            model: Loaded once, when it is needed.
            progress: Called after every chunk, with the progress of all files together.
        """
        self._config, self._run_id, self._model = config, run_id, model
        self._progress = progress
        self._work: WorkDirectory | None = None
        # Whether the work directory stays if the job fails.
        self._keep = self._done = False
        self._notes: list[str] = []
        self._job: FolderJob | None = None
        self._parts: Spread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._work is not None:
            work, self._work = self._work, None
            keep = may_succeed_later(error) if self._done else self._keep
            work.release(keep=keep and error is not None)

    def run(self) -> FolderResult:
        """Score the files that are left, and finish the output.

        Raises:
            TextbatchError: Its subclass tells the kind of error. Finished parts stay.
        """
        config = self._config
        check_installed(config)
        folder = open_folder(config)
        # Quick checks first: the user must not wait for the model to hear of a wrong path.
        check_existing(config, folder, inherited=work_directory_of(folder.lock_place).is_dir())
        listing = list_inputs(config.inputs, config.input_format)
        self._notes.extend(listing.notes())
        if config.dry_run:
            job = self._job = plan(config, listing, folder, self._model.bundles())
            self._notes.extend(job.stale_notes())
            with closing(job.ledger):
                return self._planned(job)
        work = self._work = WorkDirectory(folder.lock_place, self._run_id)
        self._keep = work.inherited
        check_existing(config, folder, inherited=work.inherited)
        job = self._job = plan(config, listing, folder, self._model.bundles(), work)
        self._notes.extend(job.stale_notes())
        with closing(job.ledger):
            try:
                success = job.done_before()
                result = self._skipped(job, success) if success else self._scored(job)
                job.ledger.remove()
                self._done = True
            except BaseException:
                self._keep = self._keep or job.ledger.begun
                raise
        return result

    def known(self, state: State = "failed") -> FolderResult:
        """The result so far.

        Args:
            state: How the job ended.
        """
        job, parts, notes = self._job, self._parts, list(self._notes)
        if job is None or parts is None:
            bad = job.bad.told() if job else ()
            return FolderResult(
                state=state, model=self._model.used, notes=tuple(notes), bad_files=bad
            )
        if state == "failed":
            left = len(job.todo) - len(parts.scored)
            notes.append(f"{left} of {len(job.listing.files)} {job.unit}s are left")
        notes += parts.notes.told() + job.bad.notes()
        totals = parts.totals
        return FolderResult(
            state=state,
            counts=totals.counts(),
            model=parts.used,
            rows_resumed=totals.rows_resumed,
            rows_per_second=totals.rate(time.perf_counter() - parts.started),
            tokens=totals.tokens,
            unknown_tokens=totals.unknown_tokens,
            rows_early=totals.rows_early,
            rows_cached=totals.rows_cached,
            spread=totals.spread,
            work_of=totals.work_of,
            notes=tuple(notes),
            files=job.counts(scored=parts.scored, resumed=parts.resumed),
            shards=job.shards(),
            bad_files=job.bad.told(),
        )

    def _planned(self, job: FolderJob) -> FolderResult:
        """What a run would do, found out without writing anything."""
        if success := job.done_before():
            done = self._skipped(job, success)
            check_enough(done.counts.rows_in, job.config.min_rows)
            return replace(done, state="planned", plan="skip", rows_planned=done.counts.rows_in)
        found = check_columns(job, self._progress, read_all=True)
        check_enough(found.rows, job.config.min_rows)
        check_owned(job)
        if not new_output(job.folder.path / MANIFEST).probe():
            self._notes.append(f"whether {job.folder.path} may be written, only a run can tell")
        self._model.predictor()
        self._notes += room_for(job)
        anew = any(job.folder.has(file.part) for file in job.todo)
        return FolderResult(
            state="planned",
            plan="resume" if job.ledger.begun else "replace" if anew else "score",
            rows_planned=found.rows,
            model=self._model.used,
            notes=(*self._notes, *job.bad.notes()),
            files=job.counts(
                scored={file.part for file in job.good}, resumed=sum(1 for _ in job.resumed())
            ),
            shards=job.shards(),
            bad_files=job.bad.told(),
        )

    def _skipped(self, job: FolderJob, success: Success) -> FolderResult:
        counts, why = RowCounts(), "no input file is new"
        if not self._config.incremental:
            why = "it is of the same job"
            job.bad.take(tuple(success.bad_files))
            job.bad.check()
            counts = RowCounts(
                rows_in=success.rows_in,
                rows_out=success.rows_out,
                rows_quarantined=success.rows_quarantined,
                statuses=success.statuses,
                labels=success.labels,
                models=success.models,
                signs=success.signs,
            )
        done = "there is nothing to do" if self._config.dry_run else "nothing was done"
        note = f"{job.folder.path} is complete, {why}: {done}"
        return FolderResult(
            state="skipped",
            counts=counts,
            model=self._model.used,
            notes=(*self._notes, note, *job.bad.notes()),
            files=job.counts(scored=set()),
            shards=job.shards(),
            bad_files=job.bad.told(),
        )

    def _scored(self, job: FolderJob) -> FolderResult:
        found = check_columns(job, self._progress, read_all=job.config.strict_types)
        if found.odd:
            self._notes.append(
                f"{found.odd} of {len(job.todo)} files have other columns or types than most, and "
                f"so have their parts; the first is {found.first_odd}"
            )
        parts = Spread(job, found.types, self._run_id, self._model, self._progress)
        prepare_place(job)
        # From here on the directory is not empty: the ledger tells the next run whose it is.
        job.ledger.begin(job.part_id)
        self._parts = parts
        parts.score()
        if job.config.fail_on_drift:
            known = self.known("done")
            judge(job.config, known.counts, known.model, known)
        finish(job, self._run_id)
        return self.known("done")
