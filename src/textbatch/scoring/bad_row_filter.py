"""Rows that cannot be scored: they are numbered, moved to a file, and limited in number."""

from __future__ import annotations

from collections import deque
from typing import Protocol

import numpy as np
import pyarrow as pa

from textbatch.data.bad_row_limit import BadRowLimit
from textbatch.data.output.quarantine import Quarantine
from textbatch.data.readers.bad_rows import BadRow
from textbatch.errors import TooManyBadRowsError
from textbatch.types import Predictions, Status, TextBatch


class SetsAside(Protocol):
    """The part of a reader that the filter uses.

    Attributes:
        num_rows: Rows of the file; None if the number is not known.
        set_aside: Bad rows that the reader leaves out of its chunks, in the file's order.
    """

    num_rows: int | None
    set_aside: deque[BadRow]


class BadRowFilter:
    """Counts bad rows. If there is a quarantine file, moves them there.

    Without a quarantine file every row stays. A row's number is its place in the input, from 1.

    Attributes:
        quarantined: Rows that were moved so far.
    """

    def __init__(self, limit: BadRowLimit, file: Quarantine | None, source: SetsAside) -> None:
        """Begin at the first row.

        Args:
            limit: How many bad rows are allowed.
            file: The quarantine file; None lets bad rows stay.
            source: The reader, which leaves some bad rows out of its chunks.
        """
        self._limit, self._file, self._source = limit, file, source
        self._delivered = 0
        self._taken = 0
        self._bad = self.quarantined = 0
        self._first_bad: int | None = None
        self._reasons = {"bad_utf8"}

    def filter(self, chunk: TextBatch, predictions: Predictions) -> tuple[TextBatch, Predictions]:
        """Take the bad rows out of the next chunk.

        Args:
            chunk: The rows.
            predictions: The predictions of these rows.

        Returns:
            The rows that stay, and their predictions.

        Raises:
            StorageError: The quarantine file cannot be written.
        """
        bad = predictions.status == Status.BAD_TEXT
        positions = np.flatnonzero(bad)
        if self._file is None:
            if len(positions):
                self._count(len(positions), first=self._delivered + int(positions[0]) + 1)
            self._delivered += len(chunk)
            return chunk, predictions
        rows: list[BadRow] = []
        for position, text in zip(positions, self._texts(chunk, positions), strict=True):
            place = self._delivered + int(position)
            rows += self._before(place)
            rows.append(BadRow(row=place + self._taken + 1, reason="bad_utf8", text=text))
        self._delivered += len(chunk)
        self._put(rows + self._before(self._delivered))
        if not len(positions):
            return chunk, predictions
        kept = pa.array(~bad)
        stays = TextBatch(
            table=chunk.table.filter(kept),
            texts=chunk.texts.filter(kept),
            undecodable=chunk.undecodable[~bad],
        )
        return stays, predictions[~bad]

    def finish(self) -> None:
        """Take the bad rows after the last chunk, and check the number of all bad rows.

        Raises:
            StorageError: The quarantine file cannot be written.
            TooManyBadRowsError: There are more bad rows than allowed.
        """
        if self._file is not None:
            self._put(self._before(self._delivered))
        self._check(self._delivered + self._taken)

    def check(self) -> None:
        """Check the number of bad rows so far.

        Raises:
            TooManyBadRowsError: It is more than allowed, whatever the other rows are.
        """
        self._check(self._source.num_rows)

    def publish(self) -> None:
        """Publish the quarantine file, if there is one.

        Raises:
            StorageError: It cannot be written.
        """
        if self._file:
            self._file.publish()

    def close(self) -> None:
        """Remove a quarantine file that was not published."""
        if self._file:
            self._file.close()

    def _put(self, rows: list[BadRow]) -> None:
        assert self._file is not None
        if rows:
            self._file.add(rows)
            self._count(len(rows), first=rows[0].row)
        self.quarantined += len(rows)
        self._reasons.update(row.reason for row in rows)

    def _count(self, rows: int, *, first: int) -> None:
        self._bad += rows
        if self._first_bad is None:
            self._first_bad = first

    def _check(self, rows: int | None) -> None:
        if self._limit.exceeded(self._bad, rows=rows):
            cells = " or have a wrong number of cells" if len(self._reasons) > 1 else ""
            raise TooManyBadRowsError(
                f"{self._bad} rows are not valid UTF-8{cells}, the first is row {self._first_bad}; "
                f"--max-bad-rows allows {self._limit.text}",
                "mend them, or allow that many to go out as bad_text or into --quarantine",
            )

    def _before(self, place: int) -> list[BadRow]:
        """Rows that the reader left out before the row that it delivered at `place`."""
        rows: list[BadRow] = []
        aside = self._source.set_aside
        while aside and aside[0].row - 1 - self._taken <= place:
            rows.append(aside.popleft())
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
