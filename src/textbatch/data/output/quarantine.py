"""Bad rows that leave the output. A JSON Lines file lists them, with reasons."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from textbatch.data.bad_row_limit import BadRowLimit
from textbatch.data.json_text import json_text
from textbatch.data.output.work_directory import owner_of, quarantine_of
from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.readers.labelled import OnBadRows
from textbatch.data.storage.atomic_file import AtomicFile, temporary_of
from textbatch.data.storage.file_io import new_output
from textbatch.data.storage.files import InputFile
from textbatch.data.storage.location import Location, local
from textbatch.errors import OutputError, storage_errors
from textbatch.failpoints import failpoint


class Quarantine:
    """The quarantine file. Like the output, it appears whole or not at all."""

    def __init__(
        self,
        path: Location,
        *,
        source: Location,
        output: Path,
        with_text: bool,
        place_of: Callable[[int], tuple[str, int]] | None = None,
    ) -> None:
        """Create it under a temporary name; for a store, in the work directory of the output.

        Args:
            path: Where it goes.
            source: The input that the rows come from.
            output: The output that the rows leave. The temporary name is made from it, and its
                lock protects the temporary file. What a dead run left there is removed.
            with_text: Whether to write the bad texts.
            place_of: Finds the file and the row there by the number of a row, where the input is
                made of several files.

        Raises:
            OutputError: Its directory does not exist.
            AccessError: Its directory is not writable.
        """
        self.path = path
        name = str(source)
        self._place_of = place_of or (lambda row: (name, row))
        self.with_text = with_text
        with storage_errors(path, "cannot create", missing=OutputError):
            self._place = new_output(path)
            if self._place.staged:
                target = temporary = quarantine_of(output)
            else:
                target = local(path)
                temporary = temporary_of(target, owner_of(output))
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)  # noqa: PTH108
            # If it has texts, only its owner may read it.
            self._file = AtomicFile(target, temporary=temporary, private=with_text)

    def add(self, rows: Sequence[BadRow]) -> None:
        """Add rows, in their order.

        Raises:
            StorageError: The disk is full or failing.
        """
        with storage_errors(self.path, "cannot write", missing=OutputError):
            for row in rows:
                source, number = self._place_of(row.row)
                there = replace(row, row=number)
                self._file.buffered.write(_line_of(there, source, with_text=self.with_text))

    def publish(self) -> None:
        """Move the file to its final path. This comes before the output, which lacks its rows.

        Raises:
            StorageError: The disk is full or failing.
            TryAgainError: The store failed for too long.
        """
        with storage_errors(self.path, "cannot write", missing=OutputError):
            self._file.sync()
            self._file.close()
            self._place.publish(self._file.path)
            failpoint("quarantine-published")

    def close(self) -> None:
        """Drop what was not published."""
        if not self._file.closed:
            self._file.discard()


class BadRowList:
    """The bad rows of files that are read into memory: kept, and written at the end."""

    def __init__(self, path: Location | None, most: int | str | None = None) -> None:
        """Look at the place of the file.

        Args:
            path: Where the list goes; None if bad rows are errors.
            most: How many bad rows there may be, a number or a share; None for any number.

        Raises:
            OutputError: Its directory does not exist.
            AccessError: Its directory is not writable.
        """
        self._place = new_output(path) if path else None
        self._limit = None if most is None else BadRowLimit.parse(most)
        self._lines: list[bytes] = []
        if self._place:
            self._place.check(stream=True)

    @property
    def taker(self) -> OnBadRows | None:
        """What `read_labelled` gives bad rows to; None if they are errors."""
        return self._take if self._place else None

    def write(self, rows: int) -> None:
        """Write the file, also an empty one.

        Args:
            rows: All rows that were read, the bad ones too.

        Raises:
            TooManyBadRowsError: There are more bad rows than are allowed. Nothing is written.
            StorageError: The disk is full or failing.
        """
        if self._limit:
            self._limit.check(len(self._lines), rows=rows)
        if self._place:
            self._place.write(b"".join(self._lines))

    def _take(self, file: InputFile, rows: list[BadRow]) -> None:
        self._lines += [_line_of(row, str(file), with_text=False) for row in rows]


def _line_of(row: BadRow, source: str, *, with_text: bool) -> bytes:
    record: dict[str, object] = {"file": source, "row": row.row, "reason": row.reason}
    if with_text:
        record["text"] = (row.text or b"").decode("utf-8", "backslashreplace")
    return (json_text(record, ascii_only=True) + "\n").encode()
