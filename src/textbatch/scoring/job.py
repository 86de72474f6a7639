"""What a scoring run finds out before its first row: the job, and whether it is done already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa

from textbatch import __version__
from textbatch.data.output.columns import OutputColumns
from textbatch.data.output.footer import OutputFooter, find_footer
from textbatch.data.output.quarantine import Quarantine
from textbatch.data.readers.column_names import case_twins, listed, shown
from textbatch.data.readers.hive_partitions import with_partitions
from textbatch.data.readers.identity import InputIdentity, job_key
from textbatch.data.readers.json_types import has_empty_objects
from textbatch.data.readers.parquet_types import tried_types
from textbatch.data.readers.source import Source, open_input, require_column
from textbatch.data.readers.text_column import check_text_type
from textbatch.data.storage.file_io import exists, new_input
from textbatch.data.storage.files import InputFile
from textbatch.data.storage.location import local
from textbatch.errors import DataError, OutputError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.fetch import load_model
from textbatch.model.predictor import Predictor, open_bundle
from textbatch.model.quality.thresholds import thresholds
from textbatch.report.scoring import RunReport
from textbatch.scoring.config import ScoreConfig
from textbatch.types import Float32Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One scoring job.

    Attributes:
        identity: The input as it was before it was opened.
        source: The input.
        bundle: The model.
        key: What makes another run the same job.
        text_column: Holds the texts.
        passed_through: The input's columns that the output has.
        added: The other ones.
        schema: Of the output.
    """

    identity: InputIdentity
    source: Source
    bundle: Bundle
    key: str
    text_column: str
    passed_through: pa.Schema
    added: OutputColumns
    schema: pa.Schema


class LoadedModel:
    """The bundle and what runs it, each loaded when first needed and once for any number of files.

    Owns the predictor's threads: close it.
    """

    def __init__(self, config: ScoreConfig) -> None:
        self._config = config
        self._bundle: Bundle | None = None
        self._predictor: Predictor | None = None

    def bundle(self, report: RunReport) -> Bundle:
        """The bundle.

        Raises:
            BundleError: It is missing, damaged or unsafe.
        """
        if self._bundle is None:
            self._bundle = load_model(self._config.model)
        report.fingerprint = self._bundle.fingerprint
        report.profile = asdict(self._bundle.profile)
        return self._bundle

    def predictor(self, report: RunReport) -> Predictor:
        """The network, its golden rows replayed.

        Raises:
            BundleError: The golden rows come out differently.
            ConflictError: There is no such device.
        """
        if self._predictor is None:
            self._predictor = _open_predictor(self._config, self.bundle(report))
        engine = self._predictor.engine
        report.engine, report.device, report.precision = (
            engine.name,
            engine.device,
            engine.precision,
        )
        return self._predictor

    def close(self) -> None:
        """Stop the predictor's threads."""
        if self._predictor:
            self._predictor.close()


def prepare(config: ScoreConfig, report: RunReport, model: LoadedModel) -> Job:
    """Open input and bundle, and check that they go together.

    Raises:
        TextbatchError: A subclass says which of them is missing, damaged or does not fit.
    """
    file = new_input(config.input)
    identity = InputIdentity.of(file)
    source = open_file(config, file)
    bundle = model.bundle(report)
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
    added.check_partitions(config.partitions)
    if twins := case_twins(passed_through.names):
        source.notes.append(
            f"columns {listed(twins)} differ by case only, which many readers ignore"
        )
    schema = added.output_schema(passed_through)
    for name in tried_types(schema, source.types).lost if source.types else ():
        source.notes.append(
            f"column {shown(name)} lost its Parquet type, which Arrow does not have"
        )
    return Job(
        identity=identity,
        source=source,
        bundle=bundle,
        key=job_key(identity, bundle.fingerprint, {"textbatch": __version__, **config.decisive()}),
        text_column=text_column,
        passed_through=passed_through,
        added=added,
        schema=schema,
    )


def open_file(config: ScoreConfig, file: InputFile) -> Source:
    """Open an input file as the settings say.

    Raises:
        TextbatchError: A subclass says why it cannot be read.
    """
    source = open_input(file, config.reading(), sets_aside=config.quarantine is not None)
    return with_partitions(source, config.partitions, as_columns=config.partition_columns)


def label_thresholds(bundle: Bundle, min_precision: float) -> Float32Array | None:
    """What `--min-precision` asks of each label's confidence; None where it is 0.

    Raises:
        QualityGateError: The bundle's held-out answers are too few for it.
    """
    return thresholds(bundle.held_out, bundle.labels, min_precision) if min_precision else None


def _open_predictor(config: ScoreConfig, bundle: Bundle) -> Predictor:
    return open_bundle(
        bundle,
        name=config.engine,
        device=config.device,
        threads=config.threads,
        precision=config.precision,
        batch_tokens=config.batch_tokens,
    )


def open_quarantine(config: ScoreConfig) -> Quarantine | None:
    """The quarantine file, where one is asked for.

    Raises:
        OutputError: Its directory does not exist.
        AccessError: Its directory is not writable.
    """
    if config.quarantine is None:
        return None
    return Quarantine(
        config.quarantine,
        source=config.input,
        output=local(config.output),
        with_text=config.quarantine_text,
    )


def already_there(config: ScoreConfig, job: Job, report: RunReport) -> bool:
    """Whether an output of this very job stands in its place, with its quarantine file.

    Raises:
        OutputError: Another output does, and must not be replaced.
    """
    if config.if_exists == "replace" or not exists(config.output):
        return False
    found = find_footer(config.output)
    same = found is not None and found.key == job.key
    if found is None or not same or (config.quarantine and not exists(config.quarantine)):
        raise OutputError(
            f"{config.output} exists"
            + ("" if same else ", made from another input, model or options"),
            "add --if-exists replace (or --overwrite) to replace it",
        )
    report.state, report.rows_in, report.rows_out = "skipped", found.rows_in, found.rows_out
    report.rows_quarantined = found.rows_quarantined
    report.statuses, report.labels = found.statuses, found.labels
    report.mean_confidence = found.mean_confidence
    report.confidence_histogram = found.confidence_histogram
    report.seal = found.seal
    report.notes.append(f"{config.output} is already there, of the same job: nothing was done")
    return True


def footer(report: RunReport, job: Job, prefix: str) -> OutputFooter:
    """What the output's footer says about the run."""
    assert report.rows_in is not None
    return OutputFooter(
        version=__version__,
        run_id=report.run_id,
        key=job.key,
        fingerprint=job.bundle.fingerprint,
        label_names=job.bundle.labels,
        precision=str(report.precision),
        prefix=prefix,
        rows_in=report.rows_in,
        rows_out=sum(report.statuses.values()),
        rows_quarantined=report.rows_quarantined,
        statuses=report.statuses,
        labels=report.labels,
        mean_confidence=report.mean_confidence,
        confidence_histogram=report.confidence_histogram,
    )


def _check_input(source: Source, text_column: str, columns: Sequence[str] | None) -> pa.Schema:
    """Check the input's columns before anything is computed; the schema to pass through."""
    require_column(source, text_column, "--text-column")
    kind = source.schema.field(text_column).type
    check_text_type(kind, f"{source.file} column {shown(text_column)}")
    for name in columns or ():
        require_column(source, name, "--columns")
    names = source.schema.names if columns is None else list(dict.fromkeys(columns))
    fields = [source.schema.field(name) for name in names]
    for field in fields:
        if has_empty_objects(field.type):
            raise DataError(
                f"{source.file} column {shown(field.name)} holds objects without any key, {{}}, "
                "which Parquet has no type for",
                "leave it out with --columns",
            )
    return pa.schema(fields, metadata=source.schema.metadata)
