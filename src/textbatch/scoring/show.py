"""Rows of an output, to be looked at: the first ones, or the first that fit a filter."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.choices import CHUNK_ROWS
from textbatch.data.output.any_output import recorded_format, text_format
from textbatch.data.output.cell_values import NoTextError, check_has_text, json_values
from textbatch.data.output.footer import prefixes_in
from textbatch.data.output.read_back import rows_back
from textbatch.data.output.seal_record import recorded_columns
from textbatch.data.readers.broken_texts import mend_texts
from textbatch.data.readers.column_names import listed, shown
from textbatch.data.readers.parquet import ParquetSource
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.location import Location
from textbatch.errors import ConflictError, DataError
from textbatch.options.credentials import quoted
from textbatch.scoring.config import ANSWERS
from textbatch.scoring.output_files import output_files
from textbatch.scoring.show_options import ShowOptions

Row = dict[str, Any]
_CHANGED = "restore it, or score the input again"
#: Of the rows that fit only a few are shown.
_BATCH_ROWS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRows:
    """Rows of an output.

    Attributes:
        path: The output.
        columns: Names of the columns, in order.
        answers: The names of those that `score` has added, first ones first.
        rows: The rows.
    """

    path: str
    columns: list[str]
    answers: list[str]
    rows: list[Row]


def show_rows(asked: ShowOptions) -> ShownRows:
    """Read the first rows of an output that fit.

    Args:
        asked: Which output, how many rows, and which ones.

    Returns:
        The rows. Of Parquet only those row groups are read that can hold such rows.

    Raises:
        InputNotFoundError: There is nothing at the place.
        DataError: A file is damaged, or lacks a column that was asked for.
        UsageError: A file's name does not say its format.
        ConflictError: It is not clear whose answers filters mean.
        TryAgainError: The store does not answer.
    """
    rows: list[Row] = []
    columns: dict[str, None] = {}
    answers: dict[str, None] = {}
    for path in output_files(asked.output):
        file = _open(path)
        picked = file.picked(asked.columns)
        columns.update(dict.fromkeys(picked))
        answers.update(dict.fromkeys(file.answers))
        filters = file.filters(asked)
        rows += islice(file.rows(picked, filters), asked.rows - len(rows))
        if len(rows) == asked.rows:
            break
    return ShownRows(
        path=os.fspath(asked.output), columns=list(columns), answers=list(answers), rows=rows
    )


class _File(ABC):
    """One file of an output.

    Attributes:
        columns: Names of its columns.
    """

    columns: list[str]

    def __init__(self, path: Location) -> None:
        self._path = path
        # A file that score did not write has no prefix.
        self._prefixes = prefixes_in(path) or {"": ""}

    @property
    def answers(self) -> list[str]:
        """The names of the three columns of each model."""
        return [f"{prefix}{name}" for prefix in self._prefixes.values() for name in ANSWERS]

    def filters(self, asked: ShowOptions) -> dict[str, str | float]:
        """What is asked of columns, by their names."""
        names = [name for name in self._prefixes if name]
        if asked.of is not None and asked.of not in names:
            raise ConflictError(
                f"{self._path} has no answers of a model {quoted(asked.of)}",
                f"give --of one of {', '.join(names)}" if names else "leave out --of",
            )
        if asked.filters and asked.of is None and names:
            raise ConflictError(
                f"{self._path} has the answers of several models",
                f"say whose are meant: --of with one of {', '.join(names)}",
            )
        prefix = self._prefixes[asked.of or next(iter(self._prefixes))]
        return {f"{prefix}{name}": value for name, value in asked.filters.items()}

    def picked(self, columns: Iterable[str] | None) -> list[str]:
        """The columns to show."""
        if columns is None:
            return self.columns
        for name in columns:
            self.require(name)
        return list(dict.fromkeys(columns))

    def require(self, column: str) -> None:
        if column not in self.columns:
            raise DataError(
                f"{self._path} has no column {shown(column)}; its columns are "
                f"{listed(self.columns)}",
                "name what score wrote, or other --columns",
            )

    @abstractmethod
    def rows(self, columns: list[str], filters: Mapping[str, str | float]) -> Iterator[Row]:
        """Yield the rows that fit: filters are by the names of the columns."""


class _TextFile(_File):
    """CSV or JSON Lines: read from its beginning."""

    def __init__(self, path: Location) -> None:
        super().__init__(path)
        form = text_format(path)
        assert form is not None
        self._form = form
        first = next(self._all(), None)
        if first is None and recorded_format(path):
            first = recorded_columns(path)
        self.columns = list(first or ())

    def _all(self) -> Iterator[Row]:
        return rows_back(new_input(self._path), self._form)

    def rows(self, columns: list[str], filters: Mapping[str, str | float]) -> Iterator[Row]:
        for row in self._all():
            if all(self._fits(row.get(name), value) for name, value in filters.items()):
                yield {name: row.get(name) for name in columns}
            elif missing := filters.keys() - row.keys():
                self.require(min(missing))

    def _fits(self, cell: Any, asked: str | float) -> bool:  # noqa: ANN401 - any of JSON's
        if isinstance(asked, str):
            return bool(cell == asked)
        if cell in (None, ""):
            return False
        try:
            return float(cell) < asked
        except (TypeError, ValueError):
            raise DataError(f"{self._path} has changed since it was written", _CHANGED) from None


class _ParquetFile(_File):
    """Parquet: row groups without a fitting row are passed over."""

    def __init__(self, path: Location) -> None:
        super().__init__(path)
        self._source = ParquetSource(new_input(path))
        self.columns = self._source.schema.names

    def rows(self, columns: list[str], filters: Mapping[str, str | float]) -> Iterator[Row]:
        for name, value in filters.items():
            self._check_kind(name, value)
        for index, group in enumerate(self._source.row_groups):
            if not all(_may_hold(group, name, value) for name, value in filters.items()):
                continue
            places = self._places(index, filters) if filters else None
            if places is None or len(places):
                yield from self._taken(index, columns, places)

    def _check_kind(self, name: str, asked: str | float) -> None:
        self.require(name)
        kind = _plain(self._source.schema.field(name).type)
        fits = pa.types.is_floating(kind)
        if isinstance(asked, str):
            fits = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        if not fits:
            raise DataError(f"{self._path} was not written by textbatch, or has changed", _CHANGED)

    def _places(self, group: int, asked: Mapping[str, str | float]) -> np.ndarray:
        """The places of the fitting rows in a row group. Shape `(fitting rows,)`."""
        masks = [np.empty(0, bool)]
        for batch in self._source.batches_of(group, list(asked), CHUNK_ROWS):
            mask = np.ones(len(batch), bool)
            for column, value in zip(batch.columns, asked.values(), strict=True):
                compare = pc.equal if isinstance(value, str) else pc.less
                fits = compare(column, pa.scalar(value, _plain(column.type)))
                mask &= fits.fill_null(False).to_numpy(zero_copy_only=False)  # noqa: FBT003
            masks.append(mask)
        return np.flatnonzero(np.concatenate(masks))

    def _taken(self, group: int, columns: list[str], places: np.ndarray | None) -> Iterator[Row]:
        first = 0
        batch_rows = CHUNK_ROWS if places is not None else _BATCH_ROWS
        for batch in self._source.batches_of(group, columns, batch_rows):
            end = first + len(batch)
            if places is not None:
                here = places[(places >= first) & (places < end)] - first
                batch = batch.take(pa.array(here)) if len(here) else batch[:0]
            if len(batch):
                mended, _ = mend_texts(batch, self._path)
                cells = [_cells(column) for column in mended.columns]
                for row in zip(*cells, strict=True):
                    yield dict(zip(columns, row, strict=True))
            first = end
            if places is not None and places[-1] < end:
                return


def _open(path: Location) -> _File:
    return _TextFile(path) if text_format(path) else _ParquetFile(path)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _may_hold(group: Any, name: str, asked: str | float) -> bool:  # noqa: ANN401 - pyarrow's
    """Whether a row group can hold a fitting row, by the least and greatest value in its footer."""
    for index in range(group.num_columns):
        chunk = group.column(index)
        found = chunk.statistics if chunk.path_in_schema == name else None
        if found is None or not found.has_min_max:
            continue
        if isinstance(asked, str):
            return not isinstance(found.min, str) or bool(found.min <= asked <= found.max)
        return bool(found.min < asked)
    return True


def _cells(column: pa.Array) -> list[Any]:
    """The cells of a column as JSON values; a word in brackets for what has no text."""
    try:
        check_has_text(column.type)
    except NoTextError:
        return ["(bytes)" if one.is_valid else None for one in column]
    try:
        cells: list[Any] = json_values(column).to_pylist()
    except NoTextError:
        return ["(no text)" if one.is_valid else None for one in column]
    return cells
