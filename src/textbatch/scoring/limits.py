"""How many rows a run must have and write, and how much room on the disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from textbatch.data.output.records import RowCounts
from textbatch.data.readers.source import Source
from textbatch.errors import InputNotFoundError, StorageError, TextbatchError, storage_errors
from textbatch.report.terminal.pace import BYTES, counted

#: Even well compressed, an output with all columns is seldom smaller than its input by more.
_MOST_COMPRESSED = 10


def check_enough(rows: int | None, least: int) -> None:
    """Refuse a run that found too little to do.

    Args:
        rows: Rows that the run read, or would read; None if only reading would tell.
        least: The smallest number that is allowed.

    Raises:
        InputNotFoundError: There are fewer.
    """
    if rows is not None and rows < least:
        raise InputNotFoundError(
            f"the input of this run has {rows:,} rows; --min-rows asks for {least:,}",
            "look at what should have brought the rest",
        )


def check_room(place: Path, input_bytes: int, columns: Sequence[str] | None) -> list[str]:
    """Compare the free space of a disk with the size of what is to be scored.

    Args:
        place: Where the output, or its unfinished file, is to stand.
        input_bytes: Size of the input in bytes.
        columns: The columns of the input that the output has; None for all.

    Returns:
        Notes: that the disk may be too small.

    Raises:
        StorageError: It is too small even for a well compressed output.
    """
    folder = next(one for one in place.parents if one.is_dir())
    with storage_errors(folder, "cannot look at"):
        found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    if free >= input_bytes:
        return []
    told = (
        f"the disk of {folder} has {counted(free, BYTES)} free, and the input has "
        f"{counted(input_bytes, BYTES)}"
    )
    if columns is None and free < input_bytes // _MOST_COMPRESSED:
        raise StorageError(told, "make room, or write elsewhere")
    return [f"{told}: the output may not fit"]


def check_rows(source: Source, counts: RowCounts, written: int) -> None:
    """Check before publishing that every row of the input was read and is written.

    Args:
        source: The input.
        counts: What became of its rows.
        written: How many rows the output has.

    Raises:
        TextbatchError: A row is lost or doubled.
    """
    there = counts.rows_in if source.num_rows is None else source.num_rows
    if not there == counts.rows_in == written + counts.rows_quarantined:
        raise TextbatchError(
            f"{source.file} has {there} rows, {counts.rows_in} were scored, {written} "
            f"written and {counts.rows_quarantined} put into quarantine",
            "this is a bug in textbatch: please report it",
        )
