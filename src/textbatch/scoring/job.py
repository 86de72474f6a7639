"""What is found out before the first row of a file is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from textbatch import __version__
from textbatch.data.output.any_output import open_output
from textbatch.data.output.columns import OutputColumns
from textbatch.data.output.footer import OutputFooter
from textbatch.data.output.kept_types import changed_types, listed_types, note_of
from textbatch.data.output.output_format import format_of_output
from textbatch.data.output.output_writer import OutputWriter
from textbatch.data.output.quarantine import Quarantine
from textbatch.data.output.records import RowCounts
from textbatch.data.readers.column_names import case_twins, listed, shown
from textbatch.data.readers.hive_partitions import with_partitions
from textbatch.data.readers.identity import InputIdentity, InputMark, job_key
from textbatch.data.readers.json_types import unwritable
from textbatch.data.readers.shard_file import ShardFile
from textbatch.data.readers.source import Source, format_of, open_input, require_column
from textbatch.data.readers.text_column import check_text_type
from textbatch.data.storage.location import Location
from textbatch.errors import DataError
from textbatch.scoring.bundles import Bundles, columns_of
from textbatch.scoring.chunks import with_advice
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.differences import remembered
from textbatch.scoring.file_task import FileTask
from textbatch.scoring.model_handle import ModelHandle
from textbatch.scoring.wanted import check_model


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file's scoring job.

    Attributes:
        task: The file, its output and the options.
        identity: The state of the input file before it was opened.
        source: The input.
        bundles: The models.
        key: Two runs with the same key are the same job, and give the same output.
        text_column: The column that holds the texts.
        passed_through: The columns that are copied from the input.
        added: The columns that are added.
        schema: The output's columns.
    """

    task: FileTask
    identity: InputIdentity
    source: Source
    bundles: Bundles
    key: str
    text_column: str
    passed_through: pa.Schema
    added: OutputColumns
    schema: pa.Schema


def prepare(task: FileTask, model: ModelHandle) -> Job:
    """Open the input and the bundle, and check that they fit each other.

    Args:
        task: The file.
        model: Loaded here if it is not loaded yet.

    Returns:
        The job.

    Raises:
        TextbatchError: A subclass says which of them is missing, damaged or does not fit.
    """
    config = task.config
    file = task.input_file()
    identity = InputIdentity.of(file)
    own = open_input(
        file,
        config.reading(),
        sets_aside=task.quarantine is not None,
        read_as=task.read_as,
    )
    source = partitioned(config, own, task.partitions)
    bundles = model.bundles()
    check_model(task, bundles.fingerprint)
    text_column = bundles.text_column(config.text_column)
    passed_through = _check_input(source, text_column, config)
    added = columns_of(bundles.names, config, bundles, model.thresholds(), config.on_long)
    added.check_partitions(task.partitions)
    if format_of_output(task.output).is_text:
        from textbatch.data.output.text_file import check_columns

        check_columns(passed_through, file)
    if note := check_types(source, passed_through, task.output, strict=config.strict_types):
        source.notes.append(note)
    source.notes.extend(model.withheld_notes())
    if twins := case_twins(passed_through.names):
        source.notes.append(
            f"columns {listed(twins)} differ by case only, which many readers ignore"
        )
    return Job(
        task=task,
        identity=identity,
        source=source,
        bundles=bundles,
        key=job_key(
            identity,
            bundles.fingerprint,
            {"textbatch": __version__, **task.decisive(bundles.own_text_column)},
        ),
        text_column=text_column,
        passed_through=passed_through,
        added=added,
        schema=added.output_schema(passed_through),
    )


def partitioned(
    config: ScoreConfig, source: Source, partitions: Sequence[tuple[str, str | None]]
) -> Source:
    """A file with what the folders above it tell, as the settings say.

    Args:
        config: The settings.
        source: The file.
        partitions: The `key=value` folders above it.
    """
    return with_partitions(source, partitions, as_columns=config.partition_columns)


def check_types(source: Source, columns: pa.Schema, output: Location, *, strict: bool) -> str:
    """Check the types that an output does not keep.

    Args:
        source: The file.
        columns: The columns of it that are passed through.
        output: Its output.
        strict: Whether there may be no such column.

    Returns:
        What the report tells of them; empty for nothing.

    Raises:
        DataError: There is one.
    """
    inexact = next((source.inexact[name] for name in columns.names if name in source.inexact), None)
    if strict and inexact:
        raise DataError(
            inexact.what,
            f"{inexact.remedy}, leave the column out with --columns, or leave out --strict-types",
        )
    form = format_of_output(output)
    changed = changed_types(columns, source.types, form)
    if changed and strict:
        raise DataError(
            f"{source.file} has columns whose types do not stay in {form.name}: "
            f"{listed_types(changed)}",
            "leave them out with --columns, or leave out --strict-types",
        )
    # That all is text in a text file is known.
    return "" if form.is_text else note_of(changed)


def open_quarantine(task: FileTask) -> Quarantine | None:
    """Open the quarantine file; None if the task has none.

    Args:
        task: The task that names it.

    Raises:
        OutputError: Its directory does not exist.
        AccessError: Its directory is not writable.
    """
    if task.quarantine is None:
        return None
    return Quarantine(
        task.quarantine,
        source=task.named or task.input,
        output=task.output,
        with_text=task.config.quarantine_text,
        place_of=ShardFile(task.pieces).place_of if task.pieces else None,
    )


def open_output_of(job: Job) -> OutputWriter:
    """Open the output of a job.

    Args:
        job: The job.

    Raises:
        TextbatchError: As in `open_output`.
    """
    task = job.task
    return open_output(
        task.output,
        job.schema,
        run_id=task.run_id,
        overwrite=task.if_exists == "replace",
        types=job.source.types,
        # The cells of CSV are all texts, and none of them is a null.
        quote_empty=format_of(job.source.file, task.config.input_format) != "csv",
    )


def footer_of(job: Job, counts: RowCounts, precision: str, mark: InputMark) -> OutputFooter:
    """What the output's footer says about the run.

    Args:
        job: The job.
        counts: What became of its rows.
        precision: Of the network's products.
        mark: Of the input.
    """
    return OutputFooter(
        version=__version__,
        run_id=job.task.run_id,
        key=job.key,
        fingerprint=job.bundles.fingerprint,
        label_names=job.bundles.labels,
        precision=precision,
        prefix=job.task.config.prefix if counts.models else job.added.prefix,
        input_tag=mark.tag,
        input_content=mark.content,
        options=remembered(job.task.decisive(job.bundles.own_text_column)),
        rows_in=counts.rows_in,
        rows_out=counts.rows_out,
        rows_quarantined=counts.rows_quarantined,
        statuses=counts.statuses,
        labels=counts.labels,
        mean_confidence=counts.mean_confidence,
        confidence_histogram=counts.confidence_histogram,
        models=counts.models,
        signs=counts.signs,
        multi_label=counts.multi_label,
        priors=counts.priors,
    )


def _check_input(source: Source, text_column: str, config: ScoreConfig) -> pa.Schema:
    """Check the input's columns before anything is computed; the schema to pass through."""
    require_column(source, text_column, "--text-column")
    kind = source.schema.field(text_column).type
    check_text_type(kind, f"{source.file} column {shown(text_column)}", config.join_lists)
    fields = kept_columns(source, text_column, config)
    return pa.schema(fields, metadata=source.schema.metadata)


def kept_columns(source: Source, text_column: str, config: ScoreConfig) -> list[pa.Field]:
    """The columns of a file that the output keeps. It must be possible to read and write them.

    Args:
        source: The file.
        text_column: The column that holds the texts, which is read too.
        config: The settings.

    Raises:
        DataError: One is missing, cannot be read, or is of a type that cannot be written.
    """
    columns = config.columns
    for name in columns or ():
        require_column(source, name, "--columns")
    names = source.schema.names if columns is None else list(dict.fromkeys(columns))
    for name in (text_column, *names):
        if error := source.unreadable.get(name):
            raise with_advice(error, text_column)
    fields = [source.schema.field(name) for name in names]
    for field in fields:
        if reason := unwritable(field.type):
            raise DataError(
                f"{source.file} column {shown(field.name)} {reason}",
                "leave it out with --columns",
            )
    return fields
