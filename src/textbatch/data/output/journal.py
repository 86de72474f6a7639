"""The journal of a run: the predictions so far, so that a rerun does not compute them again.

It is a file that is only appended to. Its first line names the job. Then come records. A record has
a fixed header (first row, number of rows, length of the payload, a hash of the texts), a sha256 of
header and payload, and the payload: the status codes (int8), then for each row either the best
label (int32) and its confidence (float32), or all probabilities (float32), then what else is told
of the rows (float32); of several models one after the other. A record that is torn, or has a wrong
hash, ends the journal; the rest is cut off. Because of the hashes, records may reach the disk in
any order, so they need no sync each.

An answer is only for the text that it was computed for. The chunks of a rerun may be others than
those of the records, so answers are handed out before the last text of their record is seen. Where
it turns out then that a text is another one, the whole run begins anew, without this journal.
"""

from __future__ import annotations

import hashlib
import os
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pyarrow as pa

from textbatch.data.json_text import json_text
from textbatch.data.output.packed_answers import packed, row_bytes, unpacked
from textbatch.data.output.text_digest import DIGEST_BYTES, TextDigest, digest_of
from textbatch.data.storage.private import open_private
from textbatch.errors import OutputError, storage_errors
from textbatch.failpoints import failpoint
from textbatch.types import BoolArray, Predictions

FORMAT_VERSION = 2
#: A power cut loses at most this much work. A killed process loses no record.
SYNC_SECONDS = 5.0

_HEADER = struct.Struct(f"<4sQIQ{DIGEST_BYTES}s")
_MAGIC = b"TBJ1"
_MAX_LINE = 1 << 16


class OtherTextsError(Exception):
    """The journal has answers to other texts than those of the input. It is dropped by now."""


class Journal:
    """The predictions of this run and of earlier ones, row after row.

    First, `take` gives the known predictions. When it gives fewer than wanted, `append` adds new
    ones.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        key: str,
        num_labels: int | Sequence[int],
        whole: bool,
        total_rows: int | None,
        extras: int = 0,
    ) -> None:
        """Open the journal of an earlier run, if it is of the same job.

        Args:
            path: Path of the file. The first `append` makes it. None notes nothing.
            key: Key of the job. A journal with another key is dropped.
            num_labels: Width of the probabilities; of several models the width of each.
            whole: Whether all probabilities are needed later, not only the best.
            total_rows: Number of rows of the input, if it is known. The last chunk is not
                noted, so a small job writes no journal.
            extras: How many further numbers each model tells of a row.

        Raises:
            StorageError: The file cannot be read.
        """
        self.path = path
        self.rows = self.rows_resumed = 0
        self.dropped = False
        self._widths = (num_labels,) if isinstance(num_labels, int) else tuple(num_labels)
        self._whole, self._total_rows, self._extras = whole, total_rows, extras
        # The width alone, as ever, if there is only one.
        labels = self._widths[0] if len(self._widths) == 1 else self._widths
        job = {"format": FORMAT_VERSION, "key": key, "labels": labels, "whole": whole}
        if extras:
            job["extras"] = extras
        self._first_line = (json_text(job, ascii_only=True) + "\n").encode()
        # What is left of the record that is being taken, its hash, and that of the texts so far.
        self._record: Predictions | None = None
        self._expected = b""
        self._texts = TextDigest()
        self._descriptor: int | None = None
        self._end = self._rows_read = 0
        self._synced = time.monotonic()
        self._replaying = False
        if path is not None:
            with storage_errors(path, "cannot read", missing=OutputError):
                self._replaying = self._open(path)

    def take(self, texts: pa.Array, undecodable: BoolArray) -> Predictions | None:
        """Take the predictions of the next rows, as far as they are known.

        Args:
            texts: The texts of the rows. Shape `(rows,)`.
            undecodable: True where the text is not valid UTF-8. Shape `(rows,)`.

        Returns:
            At most this many, in order; None for none.

        Raises:
            OtherTextsError: They are other texts than those that the answers are for.
        """
        taken: list[Predictions] = []
        done = 0
        while done < len(texts) and self._replaying:
            record = self._record or self._read()
            if record is None:
                self._cut()
                break
            taken.append(record[: len(texts) - done])
            some = slice(done, done := done + len(taken[-1]))
            self._texts.add(texts[some], undecodable[some])
            self._record = record[len(taken[-1]) :] if len(record) > len(taken[-1]) else None
            if self._record is None:
                self._check_texts()
        if not taken:
            return None
        known = Predictions.concatenate(taken)
        self.rows += len(known)
        self.rows_resumed += len(known)
        return known

    def finish(self) -> None:
        """Check at the input's end that no answer was taken whose text could not be checked.

        Raises:
            OtherTextsError: The input ends within a record, so it is another one.
        """
        if self._record is not None:
            self._drop()
        self.close()

    def append(self, predictions: Predictions, texts: pa.Array, undecodable: BoolArray) -> None:
        """Add the predictions of the next rows.

        Args:
            predictions: The answers.
            texts: What they answer. Shape `(rows,)`.
            undecodable: True where the text is not valid UTF-8. Shape `(rows,)`.

        Raises:
            StorageError: The disk is full or failing.
        """
        first, count = self.rows, len(predictions)
        self.rows += count
        if self.path is None or (self._total_rows is not None and self.rows >= self._total_rows):
            return
        payload = packed(predictions, whole=self._whole)
        header = _HEADER.pack(_MAGIC, first, count, len(payload), digest_of(texts, undecodable))
        digest = hashlib.sha256(header + payload).digest()
        with storage_errors(self.path, "cannot write", missing=OutputError):
            if self._descriptor is None:
                self._create(self.path)
            self._write(header + digest)
            failpoint("journal-half-written")
            self._write(payload)
            failpoint("journal-written")
            self._sync_now_and_then()

    def notes(self) -> list[str]:
        """What to say of an earlier run's work: how much was used, or that it was dropped."""
        notes = []
        if self.rows_resumed:
            notes.append(f"resumed: {self.rows_resumed:,} rows were known from an earlier run")
        if self.dropped:
            notes.append(
                "started over: an interrupted run had another input, model or options, and what "
                "it had computed was dropped"
            )
        return notes

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            with storage_errors(self.path, "cannot write", missing=OutputError):
                os.close(descriptor)

    def _open(self, path: Path) -> bool:
        try:
            self._descriptor = open_private(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        found = os.pread(self._descriptor, _MAX_LINE, 0).partition(b"\n")
        if found[0] + found[1] == self._first_line:
            self._end = len(self._first_line)
            return True
        self.dropped = found[1] == b"\n"
        os.ftruncate(self._descriptor, 0)
        self._write(self._first_line)
        return False

    def _create(self, path: Path) -> None:
        self._descriptor = open_private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        self._write(self._first_line)
        failpoint("journal-created")

    def _write(self, data: bytes) -> None:
        assert self._descriptor is not None
        view = memoryview(data)
        while view:
            written = os.pwrite(self._descriptor, view, self._end)
            self._end += written
            view = view[written:]

    def _sync_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._synced >= SYNC_SECONDS:
            assert self._descriptor is not None
            os.fsync(self._descriptor)
            self._synced = now
            failpoint("journal-synced")

    def _check_texts(self) -> None:
        """Check the texts of a record that was taken whole."""
        if self._texts.digest() != self._expected:
            self._drop()

    def _drop(self) -> NoReturn:
        """Make the file the journal of no job, and end this run."""
        assert self._descriptor is not None
        with storage_errors(self.path, "cannot write", missing=OutputError):
            os.ftruncate(self._descriptor, 0)
            self._end = 0
            self._write(b"\n")
        self.close()
        raise OtherTextsError

    def _cut(self) -> None:
        """Drop everything after the last good record. From now on the journal is written."""
        self._replaying = False
        assert self._descriptor is not None
        with storage_errors(self.path, "cannot write", missing=OutputError):
            os.ftruncate(self._descriptor, self._end)

    def _read(self) -> Predictions | None:
        """Read the next record; None if it is torn, damaged or not there."""
        assert self._descriptor is not None
        size = _HEADER.size + hashlib.sha256().digest_size
        with storage_errors(self.path, "cannot read"):
            head = os.pread(self._descriptor, size, self._end)
            if len(head) < size:
                return None
            magic, first, count, length, texts = _HEADER.unpack_from(head)
            left = os.fstat(self._descriptor).st_size - self._end - size
            # The length is not believed until it is checked.
            fits = (
                length == count * row_bytes(self._widths, whole=self._whole, extras=self._extras)
                and 0 < length <= left
            )
            if magic != _MAGIC or first != self._rows_read or not fits:
                return None
            payload = os.pread(self._descriptor, length, self._end + size)
        if hashlib.sha256(head[: _HEADER.size] + payload).digest() != head[_HEADER.size :]:
            return None
        self._end += size + length
        self._rows_read += count
        self._expected, self._texts = texts, TextDigest()
        return unpacked(payload, count, self._widths, whole=self._whole, extras=self._extras)
