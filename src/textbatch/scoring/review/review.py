"""The path of `review`: the least sure rows of an output, as a file."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textbatch.data.output.small_table import write_table
from textbatch.data.readers.column_names import shown
from textbatch.data.readers.text_column import decode_texts, is_string, stored_type
from textbatch.data.storage.file_io import new_output
from textbatch.errors import DataError
from textbatch.report.files import job_reported, write_json
from textbatch.report.listener import SILENT
from textbatch.report.reviewing import ReviewReport
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.scoring.diff.answers import Codes
from textbatch.scoring.diff.output import Output, Rows
from textbatch.scoring.review.choose import choose
from textbatch.scoring.review.options import ReviewConfig
from textbatch.types import Int64Array, Status, has_evidence

#: So many rows for each one that is chosen are looked at, because copies take one place; at most so
#: many in all.
_CANDIDATES, _MOST_CANDIDATES = 10, 20_000
#: Below this novelty a text is as good as unknown to the model.
_NOVEL = 0.05
_CODES = np.arange(len(Status), dtype=np.int8)
_EVIDENCE = {Status.names()[code] for code in _CODES[has_evidence(_CODES)]}


def review(config: ReviewConfig, *, progress: Progress | None = None) -> ReviewReport:
    """Choose the rows that people should label next, and write them to a file.

    Memory does not grow with the rows of the output.

    Args:
        config: The output, the budget and the file.
        progress: Called as rows are read.

    Returns:
        What was chosen.

    Raises:
        InputNotFoundError: There is no such output.
        DataError: It lacks a column, is damaged, or has no row that could be chosen.
        OutputError: The file exists, or its directory does not.
    """
    with job_reported(config, lambda: {"output": str(config.output)}):
        overwrite = config.if_exists == "replace"
        new_output(config.output).check(overwrite=overwrite)
        scored = Output(config.scored, config.of)
        for name in (config.text_column, *(config.columns or ())):
            if name not in scored.columns and name == config.text_column:
                raise DataError(
                    f"{scored.path} has no column {shown(name)}", "name it with --text-column"
                )
            scored.require(name)
        doubts, rows, read = _doubtful(scored, config.budget, progress or SILENT)
        if not len(rows):
            raise DataError(
                f"{scored.path} has no row that a model has answered", "score other texts"
            )
        table = _quoted(scored, config, rows)
        texts = [text or "" for text in table["text"].to_pylist()]
        picked = choose(doubts, texts, config.budget)
        write_table(_queue(table.take(pa.array(picked)), config), config.output,
                    overwrite=overwrite)  # fmt: skip
        done = ReviewReport(
            output=str(config.output),
            scored=os.fspath(config.scored),
            rows=read,
            candidates=len(rows),
            chosen=len(picked),
            mean_doubt=float(doubts[picked].mean()),
        )
    if config.report:
        write_json(config.report, done.to_dict())
    return done


def _doubtful(
    scored: Output, budget: int, progress: Progress
) -> tuple[NDArray[np.float64], Int64Array, int]:
    """The doubts about the least sure rows, the largest first; their numbers, and all rows."""
    most = max(budget, min(_CANDIDATES * budget, _MOST_CANDIDATES))
    statuses, first = Codes(), 0
    kept, rows = np.empty(0), np.empty(0, np.int64)
    beside = [name for name in _beside(scored) if name in scored.columns]
    with step_of(progress, scored.rows, step="reading") as step:
        for block in scored.stream(Codes(), statuses, beside):
            known = [code for code, name in enumerate(statuses.texts) if name in _EVIDENCE]
            doubts = _doubts(block, beside)
            may = np.isin(block.answers.statuses, known) & ~np.isnan(doubts)
            numbers = first + np.flatnonzero(may)
            kept, rows = np.append(kept, doubts[may]), np.append(rows, numbers)
            order = np.lexsort((rows, -kept))[:most]
            kept, rows = kept[order], rows[order]
            first += len(block)
            step.advance(len(block))
    return kept, rows, first


def _beside(scored: Output) -> Iterator[str]:
    prefix = scored.names[0].removesuffix("predicted_label")
    yield from (f"{prefix}{name}" for name in ("probabilities", "top_confidences", "novelty"))


def _doubts(block: Rows, beside: list[str]) -> NDArray[np.float64]:
    """How unsure the model is of each row: 1 if its two best labels are alike; NaN if unknown."""
    doubts = 1 - block.answers.confidences
    # What was withheld had too small a confidence, whatever it was.
    doubts[np.isnan(doubts)] = 1.0
    for name in beside:
        column = block.beside[name]
        if pa.types.is_floating(column.type):  # novelty
            novelty = pc.fill_null(column.cast(pa.float64()), 1.0).to_numpy(zero_copy_only=False)
            doubts = np.where(novelty < _NOVEL, np.maximum(doubts, 1 - novelty), doubts)
        elif (margins := _margins(column)) is not None:
            doubts = np.where(np.isnan(margins), doubts, 1 - margins)
    return np.asarray(doubts)


def _margins(column: pa.Array) -> NDArray[np.float64] | None:
    """The best number of each list less the second best; NaN without two. None for no lists."""
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind)):
        return None
    margins = np.full(len(column), np.nan)
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    width = int(lengths.max(initial=0))
    if width < 2 or len(np.unique(lengths[lengths > 0])) > 1:
        return margins
    numbers = column.drop_null().flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
    best = np.sort(numbers, axis=1)[:, -2:]
    margins[column.is_valid().to_numpy(zero_copy_only=False)] = best[:, 1] - best[:, 0]
    return margins


def _quoted(scored: Output, config: ReviewConfig, rows: Int64Array) -> pa.Table:
    """Some rows of the output, in this order: their numbers from 1, texts, answers, columns."""
    order = np.sort(rows)
    label, confidence, _ = scored.names
    names = [config.text_column, label, confidence, *(config.columns or ())]
    parts, first = [], 0
    for batch in scored.batches(names):
        size = len(batch[config.text_column])
        here = order[(order >= first) & (order < first + size)]
        if len(here):
            taken = pa.array(here - first)
            columns = {f"c{at}": batch[name].take(taken) for at, name in enumerate(names)}
            columns["c0"] = _texts(columns["c0"], scored, config)
            columns["c1"] = decode_texts(columns["c1"])[0]
            columns["c2"] = columns["c2"].cast(pa.float64())
            parts.append(pa.table({"row": here + 1, **columns}))
        first += size
    table = pa.concat_tables(parts, promote_options="permissive")
    place = {row: at for at, row in enumerate(order.tolist())}
    table = table.take(pa.array([place[row] for row in rows.tolist()]))
    others = [f"other{at}" for at in range(len(names) - 3)]
    return table.rename_columns(["row", "text", "label", "confidence", *others])


def _texts(column: pa.Array, scored: Output, config: ReviewConfig) -> pa.Array:
    kind = stored_type(column.type)
    if not (is_string(kind) or pa.types.is_null(kind) or pa.types.is_binary(kind)
            or pa.types.is_large_binary(kind)):  # fmt: skip
        raise DataError(
            f"{scored.path} column {shown(config.text_column)} holds no texts",
            "name another one with --text-column",
        )
    return decode_texts(column.cast(pa.large_string()) if pa.types.is_null(kind) else column)[0]


def _queue(table: pa.Table, config: ReviewConfig) -> pa.Table:
    """The table that people get, with an empty column for the label."""
    others = {name: table[f"other{at}"] for at, name in enumerate(config.columns or ())}
    return pa.table(
        {
            "row": table["row"],
            **others,
            config.text_column: table["text"],
            "suggested_label": table["label"],
            "confidence": table["confidence"],
            config.label_column: pa.nulls(len(table), pa.string()),
        }
    )
