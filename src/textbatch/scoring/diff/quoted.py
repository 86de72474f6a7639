"""Cells beside the worst flips, where the user has asked for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from textbatch.data.json_text import json_text
from textbatch.data.output.cell_values import NoTextError, check_has_text, json_values
from textbatch.data.readers.broken_texts import mend_texts
from textbatch.report.diffing import DiffReport
from textbatch.scoring.diff.output import Output


def with_cells(found: DiffReport, new: Output, columns: Sequence[str]) -> DiffReport:
    """The report with cells beside its examples. The output is read once more for them.

    Args:
        found: The report.
        new: The output that the rows are in.
        columns: The columns to quote.

    Raises:
        DataError: The output is damaged.
    """
    if not columns or not found.examples:
        return found
    wanted: dict[int, dict[str, str | None]] = {one.new_row: {} for one in found.examples}
    last, first = max(wanted), 0
    for batch in new.batches(columns):
        rows = len(next(iter(batch.values())))
        for row in [one for one in wanted if first < one <= first + rows]:
            cells = {name: batch[name].slice(row - first - 1, 1) for name in columns}
            wanted[row] = {name: _cell(cell, new) for name, cell in cells.items()}
        first += rows
        if first >= last:
            break
    quoted = (replace(one, cells=wanted[one.new_row]) for one in found.examples)
    return replace(found, examples=tuple(quoted))


def _cell(cell: pa.Array, new: Output) -> str | None:
    try:
        check_has_text(cell.type)
        batch, _ = mend_texts(pa.RecordBatch.from_arrays([cell], names=["cell"]), new.path)
        (value,) = json_values(batch.column(0)).to_pylist()
    except NoTextError:
        return "(bytes)"
    return value if value is None or isinstance(value, str) else json_text(value)
