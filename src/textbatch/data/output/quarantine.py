"""Bad rows that leave the output. A JSON Lines file lists them, with reasons."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from textbatch.data.json_text import json_text
from textbatch.data.output.work_directory import owner_of, quarantine_of
from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.storage.atomic_file import AtomicFile, temporary_of
from textbatch.data.storage.file_io import new_output
from textbatch.data.storage.location import Location, local
from textbatch.errors import OutputError, storage_errors
from textbatch.failpoints import failpoint


class Quarantine:
    """The quarantine file. Like the output, it appears whole or not at all."""

    def __init__(self, path: Location, *, source: Location, output: Path, with_text: bool) -> None:
        """Create it under a temporary name; for a store, in the work directory of the output.

        Args:
            path: Where it goes.
            source: The input that the rows come from.
            output: The output that the rows leave. The temporary name is made from it, and its
                lock protects the temporary file. What a dead run left there is removed.
            with_text: Whether to write the bad texts.

        Raises:
            OutputError: Its directory does not exist.
            AccessError: Its directory is not writable.
        """
        self.path = path
        self._source = str(source)
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
                record: dict[str, object] = {
                    "file": self._source,
                    "row": row.row,
                    "reason": row.reason,
                }
                if self.with_text:
                    record["text"] = (row.text or b"").decode("utf-8", "backslashreplace")
                self._file.buffered.write((json_text(record, ascii_only=True) + "\n").encode())

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
