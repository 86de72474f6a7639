"""How a job over several files takes its output, and how it ends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from textbatch import __version__
from textbatch.data.output.any_folder import Folder
from textbatch.data.output.records import BadFile, PartRecord, Success
from textbatch.scoring.folder.job import FolderJob
from textbatch.scoring.folder.owned import OwnedParts
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
    job.folder.remove_leftovers(file.part for file in job.listing.files)
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
    remove_others(job.folder, job.owned, _known(job))
    ending = Ending(
        run_id=run_id,
        fingerprint=job.fingerprint,
        job=job.key,
        inputs=job.inputs,
        bad_files=tuple(job.bad.told()),
    )
    complete(job.folder, job.records(), ending)


def remove_others(folder: Folder, owned: OwnedParts, known: Collection[str]) -> None:
    """Remove the parts of earlier jobs.

    Args:
        folder: The output.
        owned: Tells which files are its own.
        known: The parts that stay.

    Raises:
        OutputError: There is a file that the output did not write.
        StorageError: A part cannot be removed.
    """
    for part in list(folder.others(known)):
        owned.check(part)
        folder.remove(part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What `_SUCCESS` says of a job beside its counts; see `Success`."""

    run_id: str
    fingerprint: str
    job: str
    inputs: str
    bad_files: tuple[BadFile, ...] = ()


def complete(folder: Folder, records: Iterable[PartRecord], ending: Ending) -> Success:
    """Write the manifest, then `_SUCCESS`.

    Args:
        folder: The output, which holds all parts.
        records: Their records.
        ending: What else is said.

    Raises:
        StorageError: The disk is full or failing.
    """
    added, parts = Totals(), 0

    def counted() -> Iterator[PartRecord]:
        nonlocal parts
        for record in records:
            added.add(record)
            parts += 1
            yield record

    digest = folder.write_manifest(counted())
    totals = added.totals()
    success = Success(
        textbatch=__version__,
        run_id=ending.run_id,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        fingerprint=ending.fingerprint,
        job=ending.job,
        inputs=ending.inputs,
        parts=parts,
        manifest=digest,
        bad_files=list(ending.bad_files),
        rows_in=totals.rows_in,
        rows_out=totals.rows_out,
        rows_quarantined=totals.rows_quarantined,
        statuses=totals.statuses,
        labels=totals.labels,
        models=totals.models,
        signs=totals.signs,
        multi_label=totals.multi_label,
    )
    folder.write_success(success)
    return success


def _others(job: FolderJob) -> Iterator[str]:
    """Files in the output that are not its parts; hidden files do not count."""
    return job.folder.others(_known(job))


def _known(job: FolderJob) -> set[str]:
    known = {file.part for file in job.listing.files if file.part not in job.bad}
    known |= job.known.keys()
    if job.config.incremental:
        known |= job.ledger.finished.keys()
    return known
