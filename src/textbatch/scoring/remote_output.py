"""An output in an object store: scored into a local file, which is uploaded when it is complete."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

from textbatch.data.output.any_output import check_any_seal, files_of
from textbatch.data.output.footer import key_of
from textbatch.data.output.output_format import suffixes_of
from textbatch.data.output.work_directory import WorkDirectory, work_directory_of
from textbatch.data.storage.file_io import new_output
from textbatch.data.storage.location import local
from textbatch.errors import DataError, InputNotFoundError, OutputError, storage_errors
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.existing import already_there
from textbatch.scoring.file_task import FileResult, FileTask, Plan
from textbatch.scoring.folder.plan import stage_of
from textbatch.scoring.job import prepare
from textbatch.scoring.model_handle import ModelHandle
from textbatch.scoring.score_file import FileRun, as_planned, may_succeed_later


class RemoteRun:
    """Scores one file into an object. Lock, journal and unfinished file stay on this machine.

    The object that was there is unchanged until the new one is complete. As to the `with` block,
    see `FileRun`.
    """

    def __init__(
        self, config: ScoreConfig, run_id: str, model: ModelHandle, progress: Progress
    ) -> None:
        """Nothing is done yet.

        Args:
            config: The job's options.
            run_id: This run's id.
            model: Loaded when it is needed.
            progress: Called after every chunk.
        """
        self._config, self._model = config, model
        self._work: WorkDirectory | None = None
        # Whether the work directory stays if the job fails.
        self._keep = self._done = False
        self._place = new_output(config.output)
        self._stage = stage_of(config)
        self._local = self._stage / f"out{suffixes_of(config.output)}"
        if config.dry_run:
            self._local = self._stage.with_name(self._stage.name + suffixes_of(config.output))
        self._task = FileTask.of(config, run_id, output=self._local)
        # A local file that an earlier run left is used only if the same job made it.
        again = self._task if config.dry_run else replace(self._task, if_exists="skip")
        self._run = FileRun(again, model, progress)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._work is None:
            return
        work, self._work = self._work, None
        keep = may_succeed_later(error) if self._done else self._keep and error is not None
        if not keep:
            with suppress(OSError):
                self._stage.rmdir()
        work.release(keep=keep)

    def run(self) -> FileResult:
        """Score and upload.

        Raises:
            TextbatchError: Its subclass tells the kind of error.
        """
        self._place.check()
        found = self._place.exists()
        if not work_directory_of(self._stage).is_dir():
            self._check_free(found=found)
        with storage_errors(self._stage, "cannot create", missing=OutputError):
            self._stage.parent.mkdir(parents=True, exist_ok=True)
        if self._config.dry_run:
            return self._planned(found=found)
        work = self._work = WorkDirectory(self._stage, self._task.run_id)
        self._keep = work.inherited
        try:
            if not work.inherited:
                self._check_free(found=found)
            with storage_errors(self._stage, "cannot create", missing=OutputError):
                self._stage.mkdir(exist_ok=True)
            result = self._done_before(found=found) or self._scored()
            self._remove_local()
            self._done = True
        except BaseException:
            unfinished = self._local.exists() or work_directory_of(self._local).exists()
            self._keep = self._keep or unfinished
            raise
        return result

    def known(self) -> FileResult:
        """The result so far, after a failure."""
        return self._run.known()

    def _planned(self, *, found: bool) -> FileResult:
        """What a run would do. The store is asked whether it would take the object."""
        may_tell = self._place.probe()
        if found and self._config.if_exists == "skip":
            job = prepare(self._task, self._model)
            if there := already_there(self._config.output, job, self._model.used):
                return as_planned(self._config.output, there)
        planned = self._run.run()
        plan: Plan = "replace" if found else "score"
        if work_directory_of(self._stage).is_dir():
            plan = "resume"
        told = f"whether {self._config.output} may be written, only a run can tell"
        return replace(
            planned, plan=plan, notes=planned.notes if may_tell else (*planned.notes, told)
        )

    def _scored(self) -> FileResult:
        with self._run:
            result = self._run.run()
        self._publish()
        return replace(result, state="done")

    def _publish(self) -> None:
        """Upload the output, after the record beside it if it has one."""
        overwrite = self._config.if_exists == "replace"
        *before, whole = zip(files_of(self._config.output), files_of(self._local), strict=True)
        if before:
            self._refuse(found=not overwrite and self._place.exists())
        for place, made in before:
            new_output(place).publish(local(made))
        self._place.publish(local(whole[1]), overwrite=overwrite)

    def _remove_local(self) -> None:
        for made in reversed(files_of(self._local)):
            with storage_errors(made, "cannot remove"):
                local(made).unlink(missing_ok=True)

    def _done_before(self, *, found: bool) -> FileResult | None:
        """The result that the object tells, if it is there; removes a local file of another job.

        Raises:
            OutputError: Another job's object is there, and must not be replaced.
        """
        if self._task.from_standard_input:
            # Its rows are not read yet, so no output can be known as made from them.
            self._remove_local()
            if self._config.if_exists != "replace":
                self._refuse(found=found)
            return None
        if not found and not self._local.exists():
            return None
        job = prepare(self._task, self._model)
        if self._local.exists() and not self._is_left_of(job.key):
            self._remove_local()
        return already_there(self._config.output, job, self._model.used) if found else None

    def _is_left_of(self, key: str) -> bool:
        """Whether a dead run of this job finished the local file, and it is as it was written."""
        if key_of(self._local) != key:
            return False
        try:
            check_any_seal(self._local)
        except (DataError, InputNotFoundError):
            return False
        return True

    def _check_free(self, *, found: bool) -> None:
        if self._config.if_exists == "fail":
            self._refuse(found=found)

    def _refuse(self, *, found: bool) -> None:
        if found:
            raise OutputError(f"{self._config.output} exists", "add --overwrite to replace it")
