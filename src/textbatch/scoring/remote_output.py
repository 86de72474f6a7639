"""An output in an object store: scored into a local file, which is uploaded when it is whole."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from textbatch.data.output.footer import key_of
from textbatch.data.output.work_directory import WorkDirectory, work_directory_of
from textbatch.data.storage.file_io import new_output
from textbatch.data.storage.private import private_directory
from textbatch.errors import OutputError, storage_errors
from textbatch.report.scoring import RunReport
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.folder.plan import stage_of
from textbatch.scoring.folder.run import ScoreFile
from textbatch.scoring.job import LoadedModel, already_there, prepare


def score_staged(
    config: ScoreConfig,
    report: RunReport,
    progress: Progress,
    model: LoadedModel,
    *,
    score_file: ScoreFile,
) -> None:
    """Score one file into an object: lock, journal and the unfinished file stay on this machine.

    Raises:
        TextbatchError: A subclass says what went wrong; the object's old state is untouched.
    """
    place = new_output(config.output)
    place.check()
    found = place.exists()
    stage = stage_of(config)
    if found and config.if_exists == "fail" and not work_directory_of(stage).is_dir():
        raise OutputError(f"{config.output} exists", "add --overwrite to replace it")
    if config.dry_run:
        local = stage.parent / f"{stage.name}.parquet"
        private_directory(local.parent)
        score_file(replace(config, output=local), report, progress, model)
        return
    private_directory(stage.parent)
    work = WorkDirectory(stage, report.run_id)
    local = stage / "out.parquet"
    keep = work.inherited
    try:
        if found and config.if_exists == "fail" and not work.inherited:
            raise OutputError(f"{config.output} exists", "add --overwrite to replace it")
        with storage_errors(stage, "cannot create", missing=OutputError):
            stage.mkdir(exist_ok=True)
        if not _is_done(config, report, model, local, found=found):
            again = replace(config, output=local, if_exists="skip")
            score_file(again, report, progress, model)
            place.publish(local, overwrite=config.if_exists == "replace")
            report.state = "done"
        keep = False
        with storage_errors(local, "cannot remove"):
            local.unlink(missing_ok=True)
    except BaseException:
        keep = keep or local.exists() or work_directory_of(local).exists()
        raise
    finally:
        if not keep:
            with suppress(OSError):
                stage.rmdir()
        work.release(keep=keep)


def _is_done(
    config: ScoreConfig, report: RunReport, model: LoadedModel, local: Path, *, found: bool
) -> bool:
    """Whether the object is there already; also drops a local file of another job.

    Raises:
        OutputError: Another job's object is there, and must not be replaced.
    """
    if config.from_standard_input:
        # Its rows are not known yet, and so nothing is that was made of them.
        local.unlink(missing_ok=True)
        if found and config.if_exists != "replace":
            raise OutputError(f"{config.output} exists", "add --overwrite to replace it")
        return False
    if not found and not local.exists():
        return False
    job = prepare(config, report, model)
    if local.exists() and key_of(local) != job.key:
        local.unlink()
    return found and already_there(config, job, report)
