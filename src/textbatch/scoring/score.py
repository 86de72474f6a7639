"""The scoring path, end to end: read → predict → assemble → write → commit → report."""

from __future__ import annotations

import os
import time
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from textbatch import __version__
from textbatch.data.choices import CHUNK_BYTES
from textbatch.data.output.journal import Journal
from textbatch.data.output.parquet_file import ParquetOutput
from textbatch.data.output.quarantine import Sieve
from textbatch.data.output.work_directory import WorkDirectory, work_directory_of
from textbatch.data.readers.broken_texts import mend_texts
from textbatch.data.readers.chunks import rebatch
from textbatch.data.readers.parquet_faults import UnreadableColumnError
from textbatch.data.readers.prefetch import Prefetch
from textbatch.data.readers.source import Source
from textbatch.data.readers.stdin import spool_standard_input
from textbatch.data.readers.table_formats import check_single_file
from textbatch.data.readers.text_column import decode_texts, without
from textbatch.data.storage.file_io import new_input, new_output
from textbatch.data.storage.location import local
from textbatch.errors import DataError, OutOfMemoryError, StorageError, TextbatchError, redacted
from textbatch.model.predictor import PendingPredictions, Predictor
from textbatch.report.files import failure_reported, write_json
from textbatch.report.scoring import RunReport
from textbatch.report.terminal.pace import BYTES
from textbatch.report.terminal.progress import Progress, Silent, step_of
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.folder.run import is_folder_job, score_files
from textbatch.scoring.job import Job, LoadedModel, already_there, footer, open_quarantine, prepare
from textbatch.scoring.limits import BadRowLimit
from textbatch.scoring.remote_output import score_staged
from textbatch.scoring.tally import Tally
from textbatch.types import Predictions, TextBatch

#: Chunks whose mini-batches are under way while the next one is read and tokenized.
_CHUNKS_IN_FLIGHT = 2


def score(
    config: ScoreConfig, *, progress: Progress | None = None, run_id: str | None = None
) -> RunReport:
    """Score files: one output row per input row, in order, published whole or not at all.

    Args:
        config: What to score and how.
        progress: Told about every chunk.
        run_id: Of this run alone; None makes one up.

    Returns:
        What was done.

    Raises:
        TextbatchError: A subclass says what went wrong; the output's old state is untouched.
    """
    started = time.perf_counter()
    report = RunReport(
        run_id=run_id or uuid.uuid4().hex[:16],
        input=redacted(" ".join(map(os.fspath, config.inputs))),
        output=redacted(os.fspath(config.output)),
        model=redacted(os.fspath(config.model)),
        textbatch=__version__,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    listens = progress or Silent()
    with (
        failure_reported(config.report, lambda: _timed(report, started).to_dict()),
        closing(LoadedModel(config)) as model,
    ):
        in_folder = is_folder_job(config)
        if not (in_folder or config.from_standard_input):
            check_single_file(new_input(config.input))
        if in_folder:
            score_files(config, report, listens, model, score_file=score_file)
        elif new_output(config.output).staged:
            score_staged(config, report, listens, model, score_file=score_file)
        else:
            score_file(config, report, listens, model)
    if config.report:
        write_json(config.report, _timed(report, started).to_dict())
    return _timed(report, started)


def _timed(report: RunReport, started: float) -> RunReport:
    report.seconds = round(time.perf_counter() - started, 3)
    return report


def _may_succeed_later(error: BaseException) -> bool:
    """Whether to keep what was computed: not where input, model or command must change first."""
    return not isinstance(error, TextbatchError) or isinstance(
        error, StorageError | OutOfMemoryError
    )


def score_file(
    config: ScoreConfig, report: RunReport, progress: Progress, model: LoadedModel
) -> None:
    """Score one file into one file, and fill the report.

    Raises:
        TextbatchError: A subclass says what went wrong; the output's old state is untouched.
    """
    # Cheap checks first: a wrong path must not cost the time to load a model.
    output = local(config.output)
    died_here = work_directory_of(output).is_dir()
    new_output(output).check(overwrite=config.if_exists != "fail" or died_here)
    if config.quarantine:
        new_output(config.quarantine).check()
    if config.dry_run:
        job = prepare(config, report, model)
        model.predictor(report)
        report.state, report.rows_in = "planned", job.source.num_rows
        return
    work = WorkDirectory(output, report.run_id)
    keep = False
    try:
        new_output(output).check(overwrite=config.if_exists != "fail" or work.inherited)
        work.remove_leftovers()
        if config.from_standard_input:
            with step_of(progress, None, step="reading stdin", unit=BYTES) as step:
                spool_standard_input(work.spool, on_bytes=step.advance)
            config = replace(config, inputs=(work.spool,))
        job = prepare(config, report, model)
        if not already_there(config, job, report):
            _score_rows(config, job, report, work, progress, model.predictor(report))
    except BaseException as error:
        keep = _may_succeed_later(error) and (work.journal.exists() or report.rows_out > 0)
        raise
    finally:
        work.release(keep=keep)


def _score_rows(
    config: ScoreConfig,
    job: Job,
    report: RunReport,
    work: WorkDirectory,
    progress: Progress,
    predictor: Predictor,
) -> None:
    limit = BadRowLimit.parse(config.max_bad_rows)
    tally = Tally(job.bundle.labels, limit, job.source.num_rows)
    tokens, unknown = predictor.tokens_seen, predictor.unknown_tokens
    with ExitStack() as opened:
        output = ParquetOutput(
            local(config.output),
            job.schema,
            run_id=report.run_id,
            overwrite=config.if_exists == "replace",
            types=job.source.types,
        )
        try:
            sieve = opened.enter_context(closing(Sieve(open_quarantine(config), job.source)))
            journal = opened.enter_context(closing(_open_journal(config, job, work)))
            progress.begin(job.source.num_rows)
            read = read_chunks(
                job.source,
                job.text_column,
                job.passed_through.names,
                config.chunk_rows,
                null_text=config.null_text,
            )
            with Prefetch(read) as chunks:
                for chunk, predictions in predict_chunks(chunks, predictor, journal):
                    kept, answers, bad = sieve.sift(chunk, predictions)
                    tally.quarantine(bad)
                    batch, answered = job.added.assemble(kept, answers, job.schema)
                    output.write(batch)
                    tally.add(answered)
                    progress.advance(len(chunk), job.source.progress())
            tally.quarantine(sieve.rest())
            tally.end()
            tally.fill(report)
            journal.describe(report.notes)
            report.notes.extend(job.source.notes)
            report.rows_resumed = journal.rows_resumed
            # The predictor may have counted those of other files before.
            report.tokens = predictor.tokens_seen - tokens
            report.unknown_tokens = predictor.unknown_tokens - unknown
            journal.close()
            _check_rows(job.source, report, output)
            job.identity.check_unchanged()
            sieve.publish()
            output.commit(footer(report, job, config.prefix).to_entries())
        except BaseException as error:
            tally.fill(report)
            report.rows_out = output.rows if output.published else 0
            output.abort()
            if isinstance(error, DataError):
                # A file that somebody writes anew meanwhile looks damaged or cut off.
                job.identity.check_unchanged()
            raise
    report.state, report.rows_out, report.seal = "done", output.rows, output.seal


def _open_journal(config: ScoreConfig, job: Job, work: WorkDirectory) -> Journal:
    return Journal(
        work.journal,
        key=job.key,
        num_labels=len(job.bundle.labels),
        whole=config.probabilities or config.top_k > 0,
        total_rows=job.source.num_rows,
    )


def read_chunks(
    source: Source,
    text_column: str,
    columns: Sequence[str],
    chunk_rows: int,
    *,
    null_text: Sequence[str] = (),
) -> Iterator[TextBatch]:
    """Read a source chunk by chunk, the texts decoded, those in `null_text` made null."""
    wanted = list(dict.fromkeys([*columns, text_column]))
    schema = pa.schema([source.schema.field(name) for name in wanted])
    batches = source.batches(wanted, chunk_rows)
    rows = rebatch(batches, schema, max_rows=chunk_rows, max_bytes=CHUNK_BYTES)
    for batch in _columns_advised(rows, text_column):
        column = batch.column(text_column)
        texts, undecodable = decode_texts(column)
        texts = without(texts, null_text)
        table, broken = mend_texts(batch.select(list(columns)), source.file)
        if broken is not None:
            undecodable |= broken
            texts = pc.if_else(pa.array(undecodable), None, texts)
        yield TextBatch(table=table, texts=texts, undecodable=undecodable, source=column)


def _columns_advised(
    batches: Iterator[pa.RecordBatch], text_column: str
) -> Iterator[pa.RecordBatch]:
    """The same batches; where a column cannot be read, the error tells how to do without it."""
    try:
        yield from batches
    except UnreadableColumnError as error:
        if error.column == text_column:
            raise
        raise error.with_remedy(f"leave it out with --columns, or {error.remedy}") from error


def predict_chunks(
    chunks: Iterable[TextBatch], predictor: Predictor, journal: Journal | None = None
) -> Iterator[tuple[TextBatch, Predictions]]:
    """Yield chunks with their predictions, in order, while later ones are being computed.

    What the journal knows is not computed; what is computed is noted there.
    """
    pending: deque[tuple[TextBatch, Predictions | None, PendingPredictions | None]] = deque()
    for chunk in chunks:
        known = journal.take(len(chunk)) if journal else None
        first = 0 if known is None else len(known)
        rest = None
        if first < len(chunk) or not first:
            rest = predictor.start(chunk.texts[first:], chunk.undecodable[first:])
        pending.append((chunk, known, rest))
        if len(pending) > _CHUNKS_IN_FLIGHT:
            yield _answered(*pending.popleft(), journal)
    while pending:
        yield _answered(*pending.popleft(), journal)


def _answered(
    chunk: TextBatch,
    known: Predictions | None,
    rest: PendingPredictions | None,
    journal: Journal | None,
) -> tuple[TextBatch, Predictions]:
    parts = [] if known is None else [known]
    if rest is not None:
        parts.append(rest.result())
        if journal:
            journal.append(parts[-1])
    return chunk, Predictions.concatenate(parts)


def _check_rows(source: Source, report: RunReport, output: ParquetOutput) -> None:
    """Publish nothing unless every row that was there and was read is about to be written."""
    there = report.rows_in if source.num_rows is None else source.num_rows
    if not there == report.rows_in == output.rows + report.rows_quarantined:
        raise TextbatchError(
            f"{source.file} has {there} rows, {report.rows_in} were scored, {output.rows} "
            f"written and {report.rows_quarantined} put into quarantine",
            "this is a bug in textbatch: please report it",
        )
