"""Rows of word vectors in text: word2vec, GloVe and fastText `.vec`.

GloVe's largest files have words that hold spaces (". . ."), which no text can hold as one token.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from textbatch.errors import DataError
from textbatch.model.vectors.kept_rows import KeptRows, RowNames

_BLOCK = 4 << 20
#: No line of `MAX_DIM` numbers is longer. A file without line breaks reaches this limit.
_MAX_LINE = 1 << 20
#: Without a header, this many lines decide how many numbers a row has.
_FIRST_LINES = 50


def first_dim(path: Path, head: bytes) -> int:
    """Count the numbers on a line of a file without a header, as most of the first lines have it.

    Args:
        path: The file, for the message.
        head: Its first bytes.

    Raises:
        DataError: The first line is not a word and numbers.
    """
    lines = head.split(b"\n")[:_FIRST_LINES]
    # The last line may be cut off at the end of the head.
    fields = [line.split() for line in lines[: max(1, len(lines) - 1)]]
    if len(fields[0]) < 2 or not is_number(fields[0][-1]):
        raise DataError(
            f"line 1 of {path} is neither a word2vec header nor a word and its numbers",
            "give word2vec text or binary, GloVe, or fastText .vec or .bin",
        )
    return Counter(len(line) - 1 for line in fields).most_common(1)[0][0]


def is_number(field: bytes) -> bool:
    """Whether a field is a number. Python's own `1_0` is none in such files."""
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field


def read_text(
    file: BinaryIO, kept: KeptRows, where: RowNames, *, rows: int | None, dim: int
) -> None:
    """Read a file from its first row on. A row whose word has a space is left out and counted.

    Args:
        file: The file, after its header.
        kept: Takes the vectors.
        where: Names the rows, for messages.
        rows: Number of rows in the header; None without a header.
        dim: Numbers in a row.

    Raises:
        DataError: A row is malformed, or the number of rows is not that of the header.
    """
    first = 0
    for lines in _line_blocks(file, where):
        good = _rows(lines, where, first, dim)
        kept.spaced += len(lines) - len(good)
        for position, place in kept.choose([line.split(None, 1)[0] for _, line in good]):
            row, line = good[position]
            kept.put(place, _numbers(line, dim, where, row), row)
        first += len(lines)
    if rows is not None and rows != first:
        raise DataError(
            f"{where.path} ends after line {first + 1}: it has {first:,} rows, its header says "
            f"{rows:,}",
            "fetch it again, or correct the header",
        )
    if 10 * kept.spaced > 9 * first:
        raise DataError(
            f"{where.path} has other than {dim} numbers after the word in {kept.spaced:,} "
            f"of {first:,} rows",
            "correct the header, or give another file",
        )


def _line_blocks(file: BinaryIO, where: RowNames) -> Iterator[list[bytes]]:
    """Yield blocks of lines, some megabytes at a time."""
    rest, first = b"", 0
    while data := file.read(_BLOCK):
        *lines, rest = (rest + data).split(b"\n")
        if len(rest) > _MAX_LINE:
            raise DataError(
                f"{where.name(first + len(lines))} is longer than {_MAX_LINE:,} bytes",
                "give a file of word vectors",
            )
        if lines:
            yield lines
        first += len(lines)
    if rest.strip():
        yield [rest]


def _rows(lines: list[bytes], where: RowNames, first: int, dim: int) -> list[tuple[int, bytes]]:
    """Number the lines that seem to be a word and `dim` numbers; a word with spaces is left out."""
    rows: list[tuple[int, bytes]] = []
    for row, raw in enumerate(lines, first):
        line = raw.rstrip()
        # Counting spaces is much faster than splitting, and right for almost every file.
        if line.count(b" ") == dim and line[:1] != b" ":
            rows.append((row, line))
            continue
        fields = line.split()
        if len(fields) == dim + 1:
            rows.append((row, line))
            continue
        spaced = len(fields) > dim + 1 or (len(fields) == dim and line[:1] == b" ")
        if not spaced or not all(map(is_number, fields[-dim:])):
            raise DataError(
                f"{where.name(row)} has {len(fields)} fields where a word and {dim} numbers "
                "should be",
                "mend the line or leave it out",
            )
    return rows


def _numbers(line: bytes, dim: int, where: RowNames, row: int) -> np.ndarray:
    fields = line.split()[1:]
    try:
        with np.errstate(over="ignore"):
            values = np.array([float(field) for field in fields], np.float64).astype(np.float32)
    except ValueError:
        values = np.empty(0, np.float32)
    if b"_" in line and any(b"_" in field for field in fields):  # words may have it
        values = np.empty(0, np.float32)
    if len(values) != dim:
        raise DataError(
            f"{where.name(row)} holds something else than a word and {dim} numbers",
            "mend the line or leave it out",
        )
    return values
