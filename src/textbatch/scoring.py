"""The scoring path, end to end: read → predict → assemble → write → commit → report."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from textbatch import __version__
from textbatch.batch import Float32Array, Predictions, TextBatch
from textbatch.config import CHUNK_BYTES, ScoreConfig
from textbatch.data.contract import OutputColumns
from textbatch.data.prefetch import Prefetch
from textbatch.data.rebatch import rebatch
from textbatch.data.source import Source, open_source, require_column
from textbatch.data.texts import check_text_type, decode_texts
from textbatch.data.writer import ParquetOutput, check_output
from textbatch.errors import TextbatchError
from textbatch.model.bundle import Bundle, load_bundle
from textbatch.model.engines import open_engine
from textbatch.model.predictor import PendingPredictions, Predictor
from textbatch.quality.thresholds import thresholds
from textbatch.report.progress import Progress, Silent
from textbatch.report.run import RunReport, failure_reported, write_json
from textbatch.report.tally import Tally

#: Chunks whose mini-batches are under way while the next one is read and tokenized.
_CHUNKS_IN_FLIGHT = 2


def score(config: ScoreConfig, *, progress: Progress | None = None) -> RunReport:
    """Score a file: one output row per input row, in order, published whole or not at all.

    Args:
        config: What to score and how.
        progress: Told about every chunk.

    Returns:
        What was done.

    Raises:
        TextbatchError: A subclass says what went wrong; the output's old state is untouched.
    """
    started = time.perf_counter()
    report = RunReport(
        run_id=uuid.uuid4().hex[:16],
        input=os.fspath(config.input),
        output=os.fspath(config.output),
        model=os.fspath(config.model),
        textbatch=__version__,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    with failure_reported(config.report, lambda: _timed(report, started).to_dict()):
        _score(config, report, progress or Silent())
    if config.report:
        write_json(config.report, _timed(report, started).to_dict())
    return _timed(report, started)


def _timed(report: RunReport, started: float) -> RunReport:
    report.seconds = round(time.perf_counter() - started, 3)
    return report


def _score(config: ScoreConfig, report: RunReport, progress: Progress) -> None:
    # Cheap checks first: a wrong path must not cost the time to load a model.
    check_output(config.output, overwrite=config.overwrite)
    source = open_source(config.input, config.input_format)
    bundle = load_bundle(config.model)
    report.fingerprint = bundle.fingerprint
    text_column = config.text_column or bundle.settings.text_column
    passed_through = _check_input(source, text_column, config.columns)
    added = OutputColumns(
        labels=bundle.labels,
        prefix=config.prefix,
        probabilities=config.probabilities,
        top_k=config.top_k,
        min_confidence=config.min_confidence,
        thresholds=label_thresholds(bundle, config.min_precision),
    )
    schema = added.output_schema(passed_through)
    engine = open_engine(
        bundle,
        name=config.engine,
        device=config.device,
        threads=config.threads,
        precision=config.precision,
    )
    report.engine, report.device, report.precision = engine.name, engine.device, engine.precision
    with Predictor(bundle, engine, batch_tokens=config.batch_tokens) as predictor:
        if config.dry_run:
            report.state, report.rows_in = "planned", source.num_rows
            return
        output = ParquetOutput(
            config.output, schema, run_id=report.run_id, overwrite=config.overwrite
        )
        tally = Tally(bundle.labels, config.max_bad_rows)
        progress.begin(source.num_rows)
        try:
            read = read_chunks(source, text_column, passed_through.names, config.chunk_rows)
            with Prefetch(read) as chunks:
                for chunk, predictions in predict_chunks(chunks, predictor):
                    batch, predictions = added.assemble(chunk, predictions, schema)
                    output.write(batch)
                    tally.add(predictions)
                    progress.advance(len(chunk), source.progress())
            tally.fill(report)
            _check_rows(source, report, output)
            output.commit(_footer(report, bundle, config.prefix))
        except BaseException:
            tally.fill(report)
            output.abort()
            raise
    report.state, report.rows_out = "done", output.rows


def label_thresholds(bundle: Bundle, min_precision: float) -> Float32Array | None:
    """What `--min-precision` asks of each label's confidence; None where it is 0.

    Raises:
        QualityGateError: The bundle's held-out answers are too few for it.
    """
    return thresholds(bundle.held_out, bundle.labels, min_precision) if min_precision else None


def read_chunks(
    source: Source, text_column: str, columns: Sequence[str], chunk_rows: int
) -> Iterator[TextBatch]:
    """Read a source chunk by chunk, the texts decoded."""
    wanted = list(dict.fromkeys([*columns, text_column]))
    schema = pa.schema([source.schema.field(name) for name in wanted])
    batches = source.batches(wanted, chunk_rows)
    for batch in rebatch(batches, schema, max_rows=chunk_rows, max_bytes=CHUNK_BYTES):
        texts, undecodable = decode_texts(batch.column(text_column))
        table = batch.select(list(columns))
        yield TextBatch(table=table, texts=texts, undecodable=undecodable)


def predict_chunks(
    chunks: Iterable[TextBatch], predictor: Predictor
) -> Iterator[tuple[TextBatch, Predictions]]:
    """Yield chunks with their predictions, in order, while later ones are being computed."""
    pending: deque[tuple[TextBatch, PendingPredictions]] = deque()
    for chunk in chunks:
        pending.append((chunk, predictor.start(chunk.texts, chunk.undecodable)))
        if len(pending) > _CHUNKS_IN_FLIGHT:
            oldest, answers = pending.popleft()
            yield oldest, answers.result()
    for chunk, answers in pending:
        yield chunk, answers.result()


def _check_input(source: Source, text_column: str, columns: Sequence[str] | None) -> pa.Schema:
    """Check the input's columns before anything is computed; the schema to pass through."""
    require_column(source, text_column, "--text-column")
    kind = source.schema.field(text_column).type
    check_text_type(kind, f"{source.path} column '{text_column}'")
    for name in columns or ():
        require_column(source, name, "--columns")
    names = source.schema.names if columns is None else list(dict.fromkeys(columns))
    fields = [source.schema.field(name) for name in names]
    return pa.schema(fields, metadata=source.schema.metadata)


def _check_rows(source: Source, report: RunReport, output: ParquetOutput) -> None:
    """Publish nothing unless every row that was there and was read is about to be written."""
    there = report.rows_in if source.num_rows is None else source.num_rows
    if not there == report.rows_in == output.rows:
        raise TextbatchError(
            f"{source.path} has {there} rows, {report.rows_in} were scored and {output.rows} "
            "written",
            "this is a bug in textbatch: please report it",
        )


def _footer(report: RunReport, bundle: Bundle, prefix: str) -> dict[str, str]:
    return {
        "textbatch.version": __version__,
        "textbatch.run_id": report.run_id,
        "textbatch.fingerprint": bundle.fingerprint,
        "textbatch.labels": json.dumps(bundle.labels, ensure_ascii=False),
        "textbatch.precision": str(report.precision),
        "textbatch.rows": str(report.rows_in),
        "textbatch.statuses": json.dumps(report.statuses),
        "textbatch.prefix": prefix,
    }
