"""What a job over several files is, what of it is done already, and how it ends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from textbatch import __version__
from textbatch.data.choices import IfExists
from textbatch.data.output.any_folder import Folder
from textbatch.data.output.folder import OutputFolder
from textbatch.data.output.ledger import Ledger
from textbatch.data.output.records import PartRecord, Success
from textbatch.data.readers.listing import ListedFile, Listing
from textbatch.data.storage.file_io import new_output
from textbatch.data.storage.location import Location, local
from textbatch.errors import OutputError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FileCounts, FileTask
from textbatch.scoring.folder.totals import Totals
from textbatch.scoring.limits import BadRowLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderJob:
    """A job over several files.

    Attributes:
        config: What was asked for.
        key: What makes two runs the same job, whatever their input files.
        fingerprint: The bundle's.
        text_column: Holds the texts.
        listing: The input files.
        folder: The output.
        ledger: The parts that were finished by this job.
        known: Of each part that the manifest has, what its input was like; with `--incremental`.
        inherited: Whether an interrupted run was here before.
        todo: The files to score.
    """

    config: ScoreConfig
    key: str
    fingerprint: str
    text_column: str
    listing: Listing
    folder: Folder
    ledger: Ledger
    known: dict[str, str]
    inherited: bool
    todo: list[ListedFile]

    @property
    def inputs(self) -> str:
        """What tells this set of input files from another."""
        states = "".join(file.state for file in self.listing.files)
        return hashlib.sha256(states.encode()).hexdigest()

    def task_of(self, file: ListedFile, *, run_id: str, bad_rows: BadRowLimit) -> FileTask:
        """The task of scoring one file into its part.

        Args:
            file: The file.
            run_id: Of this run.
            bad_rows: How many bad rows the file may have.
        """
        config = self.config
        quarantine = config.quarantine and _place_of(
            config.quarantine, str(PurePosixPath(file.part).with_suffix(".jsonl"))
        )
        # A part that was put in place just before the run died is not in the ledger.
        again: IfExists = "skip" if self.inherited else "fail"
        replaces = config.incremental or config.if_exists == "replace" or self.folder.is_staged
        return FileTask(
            config=config,
            run_id=run_id,
            input=file.path,
            output=self.folder.place(file.part),
            quarantine=quarantine,
            partitions=file.partitions,
            if_exists="replace" if replaces else again,
            bad_rows=bad_rows,
        )

    def counts(self, *, scored: int) -> FileCounts:
        """How many files were found, scored, known from before, and left out.

        Args:
            scored: By this run.
        """
        return FileCounts(
            found=len(self.listing.files),
            scored=scored,
            known=len(self.listing.files) - len(self.todo),
            stray=self.listing.stray,
        )

    def done_before(self) -> Success | None:
        """What `_SUCCESS` says, where there is nothing to do.

        Raises:
            OutputError: The output is complete, but another job's.
        """
        if self.config.if_exists == "replace":
            return None
        success = self.folder.success()
        if success is None or (self.config.incremental and self.todo):
            return None
        if not self.config.incremental:
            self._check_same(success)
        return success

    def _check_same(self, success: Success) -> None:
        if success.job != self.key or success.inputs != self.inputs:
            raise OutputError(
                f"{self.folder.path} was made from other inputs, another model or other options",
                "add --overwrite to replace its parts, or --incremental to add new ones",
            )
        for file in self.listing.files:
            if not self.folder.has(file.part):
                raise OutputError(
                    f"{self.folder.path} has lost its part {file.part}",
                    "add --overwrite to score all files again",
                )

    def resumed(self) -> Iterator[PartRecord]:
        """Parts that an interrupted run of this job has finished."""
        current = {file.part: file.state for file in self.listing.files}
        for record in self._last_records():
            if current.get(record.part) == record.state:
                yield record

    def records(self) -> Iterator[PartRecord]:
        """Every part that the finished output holds."""
        parts = {file.part for file in self.listing.files}
        if self.config.incremental:
            for record in self.folder.records():
                if record.part not in self.ledger.finished:
                    yield record
        for record in self._last_records():
            if self.config.incremental or record.part in parts:
                yield record

    def _last_records(self) -> Iterator[PartRecord]:
        seen: set[str] = set()
        for record in self.ledger.records():
            if record.part not in seen and self.ledger.finished[record.part] == record.state:
                seen.add(record.part)
                yield record


def _place_of(folder: Location, name: str) -> Location:
    return folder / name if new_output(folder).staged else OutputFolder(local(folder)).place(name)


def prepare_place(job: FolderJob) -> None:
    """Make the directory, mark it incomplete, and check that nothing foreign is in it.

    Raises:
        OutputError: It holds a file that textbatch did not write.
        StorageError: The disk is full or failing.
    """
    for part in _others(job):
        if not job.folder.is_ours(part):
            raise OutputError(
                f"{job.folder.path} holds {part}, which textbatch did not write",
                "move it away, or name another directory",
            )
    job.folder.begin()


def finish(job: FolderJob, run_id: str) -> None:
    """Check that the inputs are still the same, drop parts of earlier jobs, and say so.

    Args:
        job: The job, all its files scored.
        run_id: Of this run.

    Raises:
        DataError: An input file has changed since the job began.
        StorageError: The disk is full or failing.
    """
    for file in job.listing.files:
        # Each file was looked at again when it was read; in a store once more would cost a request.
        if not file.file.costs_requests:
            file.check_unchanged()
    for part in list(_others(job)):
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
        rows_in=totals.rows_in,
        rows_out=totals.rows_out,
        rows_quarantined=totals.rows_quarantined,
        statuses=totals.statuses,
        labels=totals.labels,
    )
    job.folder.write_success(success)


def _others(job: FolderJob) -> Iterator[str]:
    """Visible files in the output that are no parts of it."""
    known = {file.part for file in job.listing.files} | job.known.keys()
    if job.config.incremental:
        known |= job.ledger.finished.keys()
    return job.folder.others(known)
