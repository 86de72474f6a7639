"""A job over several files: what of it is done already."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from textbatch.data.bad_row_limit import BadRowLimit
from textbatch.data.choices import IfExists
from textbatch.data.output.any_folder import Folder
from textbatch.data.output.folder import OutputFolder
from textbatch.data.output.ledger import Ledger
from textbatch.data.output.records import PartRecord, Success
from textbatch.data.readers.json_types import JsonTypes
from textbatch.data.readers.listing import ListedFile, Listing
from textbatch.data.readers.shard_file import ShardFile
from textbatch.data.storage.file_io import new_output
from textbatch.data.storage.location import Location, local
from textbatch.errors import OutputError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.differences import other_parts
from textbatch.scoring.file_task import DoneByJob, FileCounts, FileTask, ShardCounts
from textbatch.scoring.folder.bad_files import BadFiles
from textbatch.scoring.folder.owned import OwnedParts


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderJob:
    """A job over several files.

    Attributes:
        config: The options.
        key: Two runs with the same key are the same job; the input files are not part of it.
        fingerprint: The bundle's fingerprint.
        options: The options that decide, as an output remembers them.
        text_column: The column that holds the texts.
        listing: The input files.
        folder: The output.
        ledger: The parts that this job has finished.
        known: With `--incremental`: the state of the input of each part in the manifest.
        stale: Parts that another model or other options have made, and which are scored anew.
        owned: The parts that may be replaced or removed.
        inherited: Whether an interrupted run has left its work directory.
        todo: The files to score.
        bad: Those of them that turned out to be malformed.
        beside: Files of other shares that have to be looked at too.
        lock_place: What the lock of this run is beside.
    """

    config: ScoreConfig
    key: str
    fingerprint: str
    options: dict[str, str]
    text_column: str
    listing: Listing
    folder: Folder
    ledger: Ledger
    known: dict[str, str]
    stale: frozenset[str]
    owned: OwnedParts
    inherited: bool
    todo: list[ListedFile]
    bad: BadFiles
    beside: tuple[ListedFile, ...] = ()
    lock_place: Path

    @property
    def looked_at(self) -> list[ListedFile]:
        """The files whose columns are checked, in order."""
        return sorted([*self.todo, *self.beside], key=lambda file: file.name)

    @property
    def good(self) -> list[ListedFile]:
        """The files to score that are not known to be malformed."""
        return [file for file in self.todo if file.part not in self.bad]

    @property
    def unit(self) -> str:
        """What a part is of, for messages."""
        return "shard" if self.config.is_sharded else "file"

    def keeps(self, file: ListedFile) -> bool:
        """Whether the part of an earlier version of a file stays if the file itself is bad."""
        seen = file.part in self.known or file.part in self.ledger.finished
        return self.config.incremental and seen and self.folder.has(file.part)

    @property
    def part_id(self) -> str:
        """What the footers of the parts say in place of a run's id.

        It is made of the job: whichever run or worker makes a part, its bytes are the same.
        """
        return self.key[:16]

    @property
    def inputs(self) -> str:
        """A hash of all input files' states: it differs for another set of files."""
        states = "".join(file.state for file in self.listing.files)
        return hashlib.sha256(states.encode()).hexdigest()

    def task_of(
        self,
        file: ListedFile,
        *,
        bad_rows: BadRowLimit,
        by_job: DoneByJob,
        read_as: JsonTypes | None = None,
    ) -> FileTask:
        """The task of scoring one file into its part.

        Args:
            file: The file.
            bad_rows: How many bad rows the file may have.
            by_job: What is done once for all files.
            read_as: Types of its columns, if it is JSON Lines.
        """
        config = self.config
        quarantine = config.quarantine and _place_of(
            config.quarantine, str(PurePosixPath(file.part).with_suffix(".jsonl"))
        )
        # If the last run died after publishing a part, the part is there, but not in the ledger.
        again: IfExists = "skip" if self.inherited else "fail"
        replaces = config.incremental or config.if_exists == "replace"
        if self.folder.has(file.part):
            self.owned.check(file.part)
        else:
            # What comes to stand there meanwhile is somebody else's.
            replaces = False
        return FileTask(
            config=config,
            run_id=file.part_id or self.part_id,
            input=file.path,
            pieces=file.file.pieces if isinstance(file.file, ShardFile) else (),
            output=self.folder.place(file.part),
            quarantine=quarantine,
            partitions=file.partitions,
            # In a store it is the unfinished file on this machine.
            if_exists="replace" if replaces or self.folder.is_staged else again,
            bad_rows=bad_rows,
            read_as=read_as,
            fingerprint=self.fingerprint,
            by_job=by_job,
        )

    def counts(self, *, scored: Set[str], resumed: int = 0) -> FileCounts:
        """How many files were found, scored, known from before, and left out.

        Args:
            scored: The parts of the files that this run scored.
            resumed: Files that an interrupted run of this job had scored.
        """
        return FileCounts(
            found=len(self.listing.files),
            scored=len(scored),
            resumed=resumed,
            known=len(self.listing.files) - len(self.todo) - resumed,
            stray=self.listing.stray,
            stale=len(self.stale),
            rescored=len(self.stale & scored),
        )

    def shards(self) -> ShardCounts | None:
        """The plan; None if each file is a part."""
        if not self.config.is_sharded:
            return None
        every = [
            file.file.rows if isinstance(file.file, ShardFile) else None
            for file in self.listing.files
        ]
        known = [rows for rows in every if rows is not None]
        return ShardCounts(
            planned=len(every),
            done=len(every) - len(self.todo),
            rows=sum(known) if len(known) == len(every) else None,
            smallest=min(known, default=None),
            largest=max(known, default=None),
        )

    def stale_notes(self) -> Iterator[str]:
        """What is told of the parts that are scored anew."""
        if self.stale:
            count = f"{len(self.stale):,} parts are" if len(self.stale) > 1 else "1 part is"
            yield f"{count} of another model or of other options: scored anew"

    def done_before(self) -> Success | None:
        """The content of `_SUCCESS` if there is nothing to do, else None.

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
        marks = {record.part: record.input.mark for record in self.folder.records()}
        aside = {one.part: one.state for one in success.bad_files}
        same_files = success.inputs == self.inputs and all(
            aside.get(file.part) == file.state or file.fits(marks.get(file.part))
            for file in self.listing.files
        )
        if success.job != self.key or not same_files:
            differ = [] if same_files else ["from other files, or from these before they changed"]
            if success.job != self.key:
                differ += other_parts(
                    self.folder, marks, fingerprint=self.fingerprint, options=self.options
                )
            raise OutputError(
                f"{self.folder.path} was made {', and '.join(differ)}",
                "add --overwrite to replace its parts, or --incremental to add new ones",
            )
        for file in self.listing.files:
            if file.part not in aside and not self.folder.has(file.part):
                raise OutputError(
                    f"{self.folder.path} has lost its part {file.part}",
                    "add --overwrite to score all files again",
                )

    def resumed(self) -> Iterator[PartRecord]:
        """Parts that an interrupted run of this job finished, of inputs that are still the same."""
        todo = {file.part for file in self.todo}
        current = {file.part: file.state for file in self.listing.files}
        for record in self._last_records():
            if current.get(record.part) == record.state and record.part not in todo:
                yield record

    def records(self) -> Iterator[PartRecord]:
        """Every part of the finished output."""
        parts = {file.part for file in self.listing.files if file.part not in self.bad}
        if self.config.incremental:
            for record in self.folder.records():
                # Of another model's part nothing stays where its file is bad now.
                is_left = record.part not in self.bad or record.part in self.known
                if record.part not in self.ledger.finished and is_left:
                    yield record
        for record in self._last_records():
            if self.config.incremental or record.part in parts:
                yield record

    def announced(self) -> list[PartRecord] | None:
        """The manifest with marks at the parts to score anew; None if there is none to mark."""
        if not self.stale:
            return None
        marked, records = False, []
        for record in self.folder.records():
            of_other = record.part in self.stale and record.job != self.key
            if of_other and self.fingerprint not in record.becoming:
                becoming = (*record.becoming, self.fingerprint)
                record, marked = replace(record, becoming=becoming), True
            records.append(record)
        return records if marked else None

    def _last_records(self) -> Iterator[PartRecord]:
        seen: set[str] = set()
        for record in self.ledger.records():
            # A part that was made anew has several lines.
            is_last = self.ledger.seals.get(record.part) == record.seal
            same = self.ledger.finished.get(record.part) == record.state
            if is_last and same and record.part not in seen:
                seen.add(record.part)
                yield record


def _place_of(folder: Location, name: str) -> Location:
    return folder / name if new_output(folder).staged else OutputFolder(local(folder)).place(name)
