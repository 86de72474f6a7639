"""How a job over several files takes its output, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from textbatch import __version__
from textbatch.data.output.records import PartRecord, Success
from textbatch.scoring.folder.job import FolderJob
from textbatch.scoring.folder.totals import Totals


def check_owned(job: FolderJob) -> None:
    """Check that the output holds only files that it has written itself.

    Raises:
        OutputError: It holds another one.
    """
    for part in _others(job):
        job.owned.check(part)
    for file in job.todo:
        if job.folder.has(file.part):
            job.owned.check(file.part)


def prepare_place(job: FolderJob) -> None:
    """Make the directory, mark it as incomplete, and check that it holds only our files.

    Raises:
        OutputError: It holds a file that this output did not write.
        StorageError: The disk is full or failing.
    """
    check_owned(job)
    job.folder.begin()
    # Whoever reads the parts without waiting for _SUCCESS learns here which ones may be replaced.
    if job.config.incremental and (records := job.announced()) is not None:
        job.folder.write_manifest(records)


def finish(job: FolderJob, run_id: str) -> None:
    """Check that the inputs are unchanged, remove old parts, write manifest and `_SUCCESS`.

    Args:
        job: The job, all its files scored.
        run_id: This run's id.

    Raises:
        DataError: An input file has changed since the job began.
        OutputError: A file that is none of the parts came meanwhile.
        StorageError: The disk is full or failing.
    """
    for file in job.listing.files:
        # Each file was checked when it was read; in a store another look would cost a request.
        if not file.file.costs_requests and file.part not in job.bad:
            file.check_unchanged()
    for part in list(_others(job)):
        job.owned.check(part)
        job.folder.remove(part)
    added, parts = Totals(), 0

    def counted() -> Iterator[PartRecord]:
        nonlocal parts
        for record in job.records():
            added.add(record)
            parts += 1
            yield record

    digest = job.folder.write_manifest(counted())
    totals = added.totals()
    success = Success(
        textbatch=__version__,
        run_id=run_id,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        fingerprint=job.fingerprint,
        job=job.key,
        inputs=job.inputs,
        parts=parts,
        manifest=digest,
        bad_files=list(job.bad.told()),
        rows_in=totals.rows_in,
        rows_out=totals.rows_out,
        rows_quarantined=totals.rows_quarantined,
        statuses=totals.statuses,
        labels=totals.labels,
        models=totals.models,
    )
    job.folder.write_success(success)


def _others(job: FolderJob) -> Iterator[str]:
    """Files in the output that are not its parts; hidden files do not count."""
    known = {file.part for file in job.listing.files if file.part not in job.bad}
    known |= job.known.keys()
    if job.config.incremental:
        known |= job.ledger.finished.keys()
    return job.folder.others(known)
