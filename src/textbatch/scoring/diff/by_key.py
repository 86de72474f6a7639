"""Rows of several streams brought together by a key, in limited memory.

Each stream is spread over files by a hash of the key, so that the same key is in the same file of
each. Then one file of each stream at a time is in memory (a Grace hash join).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.output.cell_values import NoTextError, check_has_text, is_nested, texts_of
from textbatch.data.readers.column_names import shown
from textbatch.data.readers.row_numbers import shown_rows
from textbatch.errors import DataError, storage_errors
from textbatch.types import Int64Array

#: Rows of a stream that are in memory at a time, about.
_PART_ROWS = 1 << 18
#: Each is an open file.
_MOST_PARTS = 256
#: A longer key is kept as its hash.
_LONGEST_KEY = 64
_TEXT = pa.large_string()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """Rows of a stream that are in memory.

    Attributes:
        numbers: Numbers of the rows, from 1. Shape `(rows,)`.
        values: What the caller has put beside them, by name. Shape of each `(rows,)`.
    """

    numbers: Int64Array
    values: dict[str, np.ndarray]

    def take(self, places: Int64Array) -> Keyed:
        """The rows at some places. Shape of `places`: `(taken,)`."""
        values = {name: one[places] for name, one in self.values.items()}
        return Keyed(numbers=self.numbers[places], values=values)


class Spread:
    """A stream, spread over files.

    Attributes:
        title: What it is, for messages.
        rows: How many rows it has.
        keyless: How many of them have no key, and so no match.
    """

    def __init__(self, title: str, folder: Path, parts: int) -> None:
        """Begin to spread a stream.

        Args:
            title: What it is, for messages.
            folder: An empty folder for its files.
            parts: Over how many files.
        """
        self.title, self.rows, self.keyless = title, 0, 0
        self._places = [folder / f"{part}.arrow" for part in range(parts)]
        self._folder = folder

    def fill(self, stream: Iterable[tuple[pa.Array, dict[str, np.ndarray]]]) -> None:
        """Write all rows of the stream.

        Args:
            stream: Keys, which are null where a row has none, and values by name.

        Raises:
            StorageError: The disk is full or failing.
        """
        with storage_errors(self._folder, "cannot write"), ExitStack() as opened:
            writers: list[pa.RecordBatchFileWriter | None] = [None] * len(self._places)
            for keys, values in stream:
                there = keys.is_valid().to_numpy(zero_copy_only=False)
                parts = np.full(len(keys), len(self._places))
                parts[there] = _parts_of(keys.drop_null(), len(self._places))
                numbers = np.arange(self.rows + 1, self.rows + len(keys) + 1)
                self.rows += len(keys)
                self.keyless += int((~there).sum())
                columns = {"key": keys, "number": pa.array(numbers)}
                columns |= {name: pa.array(one) for name, one in values.items()}
                order = np.argsort(parts, kind="stable")
                ends = np.cumsum(np.bincount(parts, minlength=len(self._places) + 1))
                batch = pa.RecordBatch.from_pydict(columns).take(pa.array(order))
                for part in range(len(self._places)):
                    start = int(ends[part - 1]) if part else 0
                    if start == ends[part]:
                        continue
                    writer = writers[part]
                    if writer is None:
                        sink = opened.enter_context(pa.OSFile(str(self._places[part]), "wb"))
                        made = pa.ipc.new_file(sink, batch.schema)
                        writer = writers[part] = opened.enter_context(made)
                    writer.write_batch(batch.slice(start, int(ends[part]) - start))

    def part(self, number: int) -> tuple[pa.Array, Keyed]:
        """Read a file back: its keys, and its rows.

        Args:
            number: Its number, from 0.

        Raises:
            DataError: A key occurs twice.
            StorageError: It cannot be read.
        """
        place = self._places[number]
        if not place.exists():
            return pa.array([], pa.binary()), Keyed(numbers=np.empty(0, np.int64), values={})
        with storage_errors(place, "cannot read"), pa.OSFile(str(place), "rb") as file:
            table = pa.ipc.open_file(file).read_all().combine_chunks()
        columns = {name: _plain(table[name]) for name in table.column_names}
        keys, numbers = columns.pop("key"), columns.pop("number").to_numpy()
        encoded = keys.dictionary_encode().indices.to_numpy()
        _, counts = np.unique(encoded, return_counts=True)
        if (counts > 1).any():
            first = encoded == np.flatnonzero(counts > 1)[0]
            raise DataError(
                f"{self.title} has rows with the same key: {shown_rows(numbers[first])}",
                "name more columns with --key, that tell rows apart together",
            )
        values = {name: one.to_numpy(zero_copy_only=False) for name, one in columns.items()}
        return keys, Keyed(numbers=numbers, values=values)


def parts_for(rows: int) -> int:
    """Over how many files streams are spread.

    Args:
        rows: The rows of the longest one, about.
    """
    return min(_MOST_PARTS, max(1, -(-rows // _PART_ROWS)))


def joined(first: Spread, second: Spread, *, part: int) -> tuple[Keyed, Keyed, pa.Array]:
    """The rows of a part of two streams that have the same key, in the order of the first one.

    Args:
        first: A stream.
        second: Another one.
        part: Number of the part.

    Returns:
        The rows of the first stream, those of the second one, and their keys.
    """
    keys, rows = first.part(part)
    other_keys, other_rows = second.part(part)
    found = pc.index_in(keys, value_set=other_keys)
    there = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
    places = found.drop_null().to_numpy().astype(np.int64)
    return rows.take(there), other_rows.take(places), keys.take(pa.array(there))


def key_of(columns: Sequence[pa.Array], names: Sequence[str], title: str) -> pa.Array:
    """One key of several columns; null where one of them is.

    Numbers are texts here: CSV has no others. An empty cell is null, as CSV does not tell them
    apart.

    Args:
        columns: The columns. Shape of each `(rows,)`.
        names: Their names.
        title: Where they stand, for messages.

    Returns:
        Bytes. Shape `(rows,)`.

    Raises:
        DataError: A column has values that have no text.
    """
    texts = []
    for column, name in zip(columns, names, strict=True):
        try:
            check_has_text(column.type)
            if is_nested(column.type):
                raise NoTextError("holds nested values")
            text = texts_of(column)
        except (NoTextError, pa.ArrowInvalid) as error:
            raise DataError(
                f"{title} column {shown(name)} cannot be a key: its values have no text",
                "name another one with --key",
            ) from error
        texts.append(pc.if_else(pc.equal(text, ""), None, text))
    if len(texts) > 1:
        # With its length before it, no part can be taken for another one.
        colon = pa.scalar(":", _TEXT)
        sized = [
            pc.binary_join_element_wise(pc.binary_length(one).cast(_TEXT), one, colon)
            for one in texts
        ]
        key = pc.binary_join_element_wise(*sized, pa.scalar("", _TEXT))
    else:
        (key,) = texts
    keys = key.cast(pa.large_binary())
    longest = pc.max(pc.binary_length(keys)).as_py() or 0
    if longest > _LONGEST_KEY:
        return pa.array(map(_short, keys.to_pylist()), pa.binary())
    return keys.cast(pa.binary())


def _short(key: bytes | None) -> bytes | None:
    if key is None or len(key) <= _LONGEST_KEY:
        return key
    # It is longer than any key that is kept as it is.
    return hashlib.blake2b(key, digest_size=64).digest() + b"#"


def _parts_of(keys: pa.Array, parts: int) -> Int64Array:
    hashes = np.fromiter(map(crc32, keys.to_pylist()), np.int64, len(keys))
    return hashes % parts


def _plain(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
