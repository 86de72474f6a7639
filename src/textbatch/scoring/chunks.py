"""A file as chunks of texts, and chunks with their predictions."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.choices import CHUNK_BYTES
from textbatch.data.output.journal import Journal
from textbatch.data.readers.broken_texts import mend_texts
from textbatch.data.readers.chunks import rebatch
from textbatch.data.readers.parquet_faults import UnreadableColumnError
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.readers.source import Source
from textbatch.data.readers.text_column import decode_texts, joined_lists, without
from textbatch.scoring.chunk_predictor import ChunkPredictor, Pending
from textbatch.types import Predictions, TextBatch


def read_chunks(
    source: Source,
    text_column: str,
    columns: Sequence[str],
    max_rows: int,
    reading: ReadOptions | None = None,
) -> Iterator[TextBatch]:
    """Read a file chunk by chunk.

    Args:
        source: The file.
        text_column: The column that holds the texts.
        columns: The columns that are copied to the output.
        max_rows: Rows of a chunk at most.
        reading: What a text is; None for the defaults.

    Yields:
        The rows in the file's order, their texts decoded.

    Raises:
        DataError: The data are malformed.
    """
    reading = reading or ReadOptions()
    wanted = list(dict.fromkeys([*columns, text_column]))
    schema = pa.schema([source.schema.field(name) for name in wanted])
    batches = source.batches(wanted, max_rows)
    rows = rebatch(batches, schema, max_rows=max_rows, max_bytes=CHUNK_BYTES)
    for batch in _columns_advised(rows, text_column):
        column = joined_lists(batch.column(text_column), reading.join_lists)
        texts, undecodable = decode_texts(column)
        texts = without(texts, reading.null_text)
        table, broken = mend_texts(batch.select(list(columns)), source.file)
        if broken is not None:
            undecodable |= broken
            texts = pc.if_else(pa.array(undecodable), None, texts)
        yield TextBatch(table=table, texts=texts, undecodable=undecodable, source=column)


def with_advice(error: UnreadableColumnError, text_column: str) -> UnreadableColumnError:
    """The error for a column that cannot be read, with the way around it, if there is one.

    Args:
        error: The error.
        text_column: The column that cannot be left out.
    """
    if error.column == text_column:
        return error
    return error.with_remedy(f"leave it out with --columns, or {error.remedy}")


def _columns_advised(
    batches: Iterator[pa.RecordBatch], text_column: str
) -> Iterator[pa.RecordBatch]:
    """Yield the same batches; if a column cannot be read, the error says how to leave it out."""
    try:
        yield from batches
    except UnreadableColumnError as error:
        raise with_advice(error, text_column) from error


def predict_chunks(
    chunks: Iterable[TextBatch], predictor: ChunkPredictor, journal: Journal | None = None
) -> Iterator[tuple[TextBatch, Predictions]]:
    """Predict chunks: later chunks are already being computed while one is handed out.

    Args:
        chunks: The rows.
        predictor: What predicts; it says how many chunks are in memory.
        journal: Predictions that it holds are not computed again; new ones are written to it.

    Yields:
        Each chunk with its predictions, in order.

    Raises:
        OtherTextsError: The journal is of other texts.
    """
    pending: deque[tuple[TextBatch, Predictions | None, Pending | None]] = deque()
    for chunk in chunks:
        known = journal.take(chunk.texts, chunk.undecodable) if journal else None
        first = 0 if known is None else len(known)
        rest = None
        if first < len(chunk) or not first:
            rest = predictor.start(chunk.texts[first:], chunk.undecodable[first:])
        pending.append((chunk, known, rest))
        if len(pending) > predictor.in_flight:
            yield _answered(*pending.popleft(), journal)
    while pending:
        yield _answered(*pending.popleft(), journal)


def _answered(
    chunk: TextBatch,
    known: Predictions | None,
    rest: Pending | None,
    journal: Journal | None,
) -> tuple[TextBatch, Predictions]:
    parts = [] if known is None else [known]
    if rest is not None:
        parts.append(rest.result())
        if journal:
            first = len(chunk) - len(parts[-1])
            journal.append(parts[-1], chunk.texts[first:], chunk.undecodable[first:])
    return chunk, Predictions.concatenate(parts)
