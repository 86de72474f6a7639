"""Whether the output of a file is there already, of the same job or of another one."""

from __future__ import annotations

from textbatch.data.output.any_output import is_changed
from textbatch.data.output.footer import OutputFooter, find_footer
from textbatch.data.storage.file_io import exists
from textbatch.data.storage.location import Location
from textbatch.errors import OutputError
from textbatch.scoring.differences import reasons, remembered
from textbatch.scoring.file_task import FileResult, ModelUsed
from textbatch.scoring.job import Job


def already_there(output: Location, job: Job, model: ModelUsed) -> FileResult | None:
    """What an output of this very job says, where it stands in its place with its quarantine file.

    Args:
        output: Its place; of an output in a store not the file that the task writes.
        job: The job.
        model: Answered.

    Returns:
        None where there is no output, or it is to be replaced.

    Raises:
        OutputError: Another job's output is there, and must not be replaced.
        DataError: The output's footer was altered.
    """
    task = job.task
    if task.if_exists == "replace" or not exists(output):
        return None
    found = find_footer(output)
    same = (
        found is not None
        and found.key == job.key
        and job.identity.fits(found.input)
        and not is_changed(output)
    )
    if found is None or not same or (task.quarantine and not exists(task.quarantine)):
        raise OutputError(
            f"{output} exists{_other_job(output, found, job)}",
            "add --if-exists replace (or --overwrite) to replace it",
        )
    return FileResult(
        state="skipped",
        counts=found.counts(),
        model=model,
        seal=found.seal,
        input=found.input,
        notes=(f"{output} is already there, of the same job: nothing was done", *job.source.notes),
    )


def _other_job(output: Location, found: OutputFooter | None, job: Job) -> str:
    """Say in what an output that is there differs from that of a job; empty if in nothing."""
    if found is None:
        return ", and was not made by textbatch"
    options = remembered(job.task.decisive(job.bundles.own_text_column))
    differ = reasons(found, fingerprint=job.bundles.fingerprint, options=options)
    if not job.identity.fits(found.input):
        differ.insert(0, "from another input, or from this one before it changed")
    if differ:
        return f": it was made {', and '.join(differ)}"
    if is_changed(output):
        return ", and has changed since it was made"
    # The input's path and time are in the key.
    return "" if found.key == job.key else ": it was made from an input of another name or time"
