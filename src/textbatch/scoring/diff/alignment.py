"""Streams of rows, cut so that their pieces have the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, Self, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.output.cell_values import NoTextError, check_has_text, is_nested, texts_of
from textbatch.data.readers.column_names import shown
from textbatch.errors import DataError
from textbatch.scoring.diff.output import Output

_BY_KEY = "name the column that tells rows apart with --key"


class Piece(Protocol):
    """Rows that can be cut."""

    def __len__(self) -> int: ...

    def cut(self, start: int, rows: int) -> Self:
        """Some of the rows.

        Args:
            start: The first one, from 0.
            rows: How many.
        """
        ...


P = TypeVar("P", bound=Piece)


def aligned(streams: Sequence[Iterator[P]]) -> Iterator[tuple[P, ...]]:
    """Cut streams into pieces of equal lengths. It ends with the shortest one.

    Args:
        streams: Streams of rows.

    Yields:
        A piece of each stream. All have the same number of rows, at least one.
    """
    pieces: list[P | None] = [None] * len(streams)
    starts = [0] * len(streams)
    while True:
        for number, stream in enumerate(streams):
            piece = pieces[number]
            while piece is None or starts[number] == len(piece):
                piece = pieces[number] = next(stream, None)
                starts[number] = 0
                if piece is None:
                    return
        current = [piece for piece in pieces if piece is not None]
        rows = min(len(one) - start for one, start in zip(current, starts, strict=True))
        yield tuple(one.cut(start, rows) for one, start in zip(current, starts, strict=True))
        starts = [start + rows for start in starts]


def check_lengths(old: Output, new: Output) -> None:
    """Check that two outputs have the same number of rows, as far as it is known.

    Args:
        old: An output.
        new: The other one.

    Raises:
        DataError: They have not.
    """
    if None not in (old.rows, new.rows) and old.rows != new.rows:
        raise DataError(
            f"{old.path} has {old.rows:,} rows and {new.path} has {new.rows:,}, so that their "
            "positions do not tell which rows are the same",
            _BY_KEY,
        )


def columns_to_compare(old: Output, new: Output) -> list[str]:
    """The columns that have to be the same, where nothing else shows that the rows are.

    None are, if both were made from the same bytes: then the same position is the same row.

    Args:
        old: An output.
        new: The other one.

    Raises:
        DataError: Nothing tells whether the rows are the same.
    """
    if old.marks and old.marks == new.marks:
        return []
    there = set(new.beside)
    shared = [name for name in old.beside if name in there]
    if not shared:
        raise DataError(
            f"{old.path} and {new.path} were not made from the same file, and have no column of "
            "their inputs that shows whether their rows are the same",
            "score with the column of an id among --columns, then name it with --key",
        )
    return shared


def check_same(
    old: dict[str, pa.Array], new: dict[str, pa.Array], outputs: tuple[Output, Output], first: int
) -> None:
    """Check that rows at the same position are the same rows.

    Args:
        old: Columns that both have, by name.
        new: Those of the new one.
        outputs: The outputs, for the message.
        first: Number of the first of these rows, from 0.

    Raises:
        DataError: A cell differs.
    """
    for name, column in old.items():
        there = _comparable(column), _comparable(new[name])
        if None in there:
            continue
        same = pc.equal(*there)
        if not pc.all(same).as_py():
            row = first + same.index(False).as_py() + 1
            raise DataError(
                f"{outputs[0].path} and {outputs[1].path} have other rows: column {shown(name)} "
                f"differs in row {row:,}",
                _BY_KEY,
            )


def _comparable(column: pa.Array) -> pa.Array | None:
    """A column as texts, whatever its file has made of it; None if it has none."""
    if pa.types.is_null(column.type):
        return None
    try:
        check_has_text(column.type)
        if is_nested(column.type):
            return None
        texts = texts_of(column)
    except (NoTextError, pa.ArrowInvalid):
        return None
    # CSV does not tell null from nothing.
    return pc.fill_null(texts, "")
