"""Bad rows that leave the output. A JSON Lines file lists them, with reasons."""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa

from textbatch.data.output.work_directory import owner_of, quarantine_of
from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.storage.atomic_file import AtomicFile, temporary_of
from textbatch.data.storage.file_io import new_output
from textbatch.data.storage.location import Location, local
from textbatch.errors import OutputError, redacted, storage_errors
from textbatch.failpoints import failpoint
from textbatch.types import Predictions, Status, TextBatch


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
        self._source = redacted(str(source))
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
                self._file.buffered.write((json.dumps(record) + "\n").encode())

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


class SetsAside(Protocol):
    """What the sieve sees of a reader."""

    set_aside: deque[BadRow]


class Sieve:
    """Takes bad rows out of the stream into a quarantine file, numbered as in the input.

    Without a file every row stays.
    """

    def __init__(self, file: Quarantine | None, source: SetsAside) -> None:
        """Begin at the first row.

        Args:
            file: Where bad rows go.
            source: The reader, which sets aside rows that never become part of a chunk.
        """
        self._file = file
        self._set_aside = source.set_aside
        self._delivered = self._taken = 0

    def sift(
        self, chunk: TextBatch, predictions: Predictions
    ) -> tuple[TextBatch, Predictions, list[BadRow]]:
        """Divide the next chunk into rows that stay and bad rows.

        Args:
            chunk: The rows.
            predictions: Their predictions.

        Returns:
            The rows that stay, their predictions, and the bad rows up to the end of the chunk.

        Raises:
            StorageError: The quarantine file cannot be written.
        """
        if self._file is None:
            return chunk, predictions, []
        bad = predictions.status == Status.BAD_TEXT
        positions = np.flatnonzero(bad)
        rows: list[BadRow] = []
        for position, text in zip(positions, self._texts(chunk, positions), strict=True):
            place = self._delivered + int(position)
            rows += self._before(place)
            rows.append(BadRow(row=place + self._taken + 1, reason="bad_utf8", text=text))
        self._delivered += len(chunk)
        rows += self._before(self._delivered)
        self._file.add(rows)
        if not len(positions):
            return chunk, predictions, rows
        kept = pa.array(~bad)
        stays = TextBatch(
            table=chunk.table.filter(kept),
            texts=chunk.texts.filter(kept),
            undecodable=chunk.undecodable[~bad],
        )
        return stays, predictions[~bad], rows

    def rest(self) -> list[BadRow]:
        """The bad rows after the last chunk.

        Raises:
            StorageError: The quarantine file cannot be written.
        """
        if self._file is None:
            return []
        rows = self._before(self._delivered)
        self._file.add(rows)
        return rows

    def publish(self) -> None:
        """Move the quarantine file to its final path.

        Raises:
            StorageError: It cannot be written.
        """
        if self._file:
            self._file.publish()

    def close(self) -> None:
        """Drop a quarantine file that was not published."""
        if self._file:
            self._file.close()

    def _before(self, place: int) -> list[BadRow]:
        """The rows that the reader set aside before its row at a position."""
        rows: list[BadRow] = []
        while self._set_aside and self._set_aside[0].row - 1 - self._taken <= place:
            rows.append(self._set_aside.popleft())
            self._taken += 1
        return rows

    def _texts(self, chunk: TextBatch, positions: np.ndarray) -> list[bytes | None]:
        assert self._file is not None
        if not self._file.with_text or chunk.source is None or not len(positions):
            return [None] * len(positions)
        texts = chunk.source.take(pa.array(positions))
        if pa.types.is_dictionary(texts.type):
            texts = texts.dictionary_decode()
        found: list[bytes | None] = texts.cast(pa.large_binary()).to_pylist()
        return found
