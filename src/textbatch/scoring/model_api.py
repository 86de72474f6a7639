"""Exporting models, and replacing them.

`python -m tools.python_api` writes the parameters from the classes of options.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textbatch.data.choices import FailOrReplace, InputFormat, LabelNaming, Quoting
from textbatch.data.storage.location import PathLike
from textbatch.model.choices import DeviceName, EngineName, ExportFormat, PrecisionName
from textbatch.report.exporting import ExportReport
from textbatch.report.listener import messages_to
from textbatch.report.promotion import PromoteReport, RollbackReport
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.export import export_model
from textbatch.scoring.export_options import ExportConfig
from textbatch.scoring.releases.options import PromoteConfig, RollbackConfig
from textbatch.scoring.releases.promote import promote as promote_model
from textbatch.scoring.releases.rollback import rollback as rollback_model
from textbatch.text.choices import OnLong


def export(
    model: PathLike,
    output: PathLike,
    *,
    format: ExportFormat | None = None,
    if_exists: FailOrReplace = "fail",
    report: PathLike | None = None,
    log: Callable[[str], None] | None = None,
) -> ExportReport:
    """Write a model in the form of another program. As the command `export`.

    Args:
        model: Model directory.
        output: File or directory to write.
        format: Form of the output. None means what the name of the output tells.
        if_exists: What to do if the output exists.
        report: Write the run's report to this JSON file, on failure too.
        log: Called with each message, one line.

    Returns:
        The report.

    Raises:
        TextbatchError: Its subclass tells the kind of error.
    """
    return export_model(ExportConfig.given(locals()), listener=messages_to(log))


def promote(
    model: PathLike,
    *,
    to: PathLike | None = None,
    on: PathLike | Sequence[PathLike] = (),
    require: Sequence[str] = (),
    label_column: str = "label",
    text_column: str | None = None,
    keep: int = 5,
    dry_run: bool = False,
    skip_unlabelled: bool = False,
    normalize_labels: bool = False,
    label_names: LabelNaming = "auto",
    input_format: InputFormat = "auto",
    encoding: str | None = None,
    delimiter: str | None = None,
    quoting: Quoting = "auto",
    null_text: Sequence[str] = (),
    join_lists: str | None = None,
    quarantine: PathLike | None = None,
    max_bad_rows: int | str | None = None,
    engine: EngineName = "auto",
    device: DeviceName = "auto",
    precision: PrecisionName = "f32",
    early_exit: bool = False,
    on_long: OnLong = "auto",
    threads: int | None = None,
    report: PathLike | None = None,
    progress: Progress | None = None,
    log: Callable[[str], None] | None = None,
) -> PromoteReport:
    """Put a new model in the place of the current one, if it is good enough. As `promote`.

    Args:
        model: The new model, or another folder of releases whose current model is the new one.
        to: Folder of releases that the model goes into, on this machine or in an object store. None
            means an error.
        on: Labelled file that no model was trained on, to compare both models with.
        require: What the new model must reach, as 'accuracy >= current - 0.002'.
        label_column: Column that holds the label.
        text_column: Column that holds the text. None means the model's.
        keep: How many versions stay, the current one among them.
        dry_run: Compare and check everything, and change nothing.
        skip_unlabelled: Leave out rows without a label.
        normalize_labels: Labels that differ only by case, blanks or the form of letters are one.
        label_names: Names of integer labels in the footer of Hugging Face's Parquet; off takes the
            integers.
        input_format: Format of the input; auto takes it from the file name.
        encoding: Encoding of CSV and JSONL files. None means UTF-8.
        delimiter: Character between the cells of CSV files. None means a tab in .tsv, else a comma.
        quoting: Quotes in CSV files; none reads " as any other character.
        null_text: A text that means a missing one.
        join_lists: Join texts that are lists of strings, with this between. None means refuse them.
        quarantine: Leave out rows that cannot be read; list them in this JSONL file.
        max_bad_rows: Fail if more rows than this cannot be read. None means any number, with
            --quarantine.
        engine: What runs the network.
        device: Where it runs.
        precision: int8 is faster, if the model allows it; fast is int8 with --early-exit.
        early_exit: The linear model answers alone where the network would not change the label.
        on_long: Of texts longer than the model reads: the part to use, or windows over all of it.
        threads: CPU threads to use. None means what this process may use.
        report: Write the run's report to this JSON file, on failure too.
        progress: Called as rows are read and predicted.
        log: Called with each message, one line.

    Returns:
        What was measured and done.

    Raises:
        QualityGateError: A requirement is not met. Nothing has changed.
        TextbatchError: Its subclass tells the kind of error.
    """
    config, listener = PromoteConfig.given(locals()), messages_to(log)
    done = promote_model(config, progress=progress, warn=listener.log)
    for warning in done.warnings:
        listener.log(f"warning: {warning}")
    return done


def rollback(
    releases: PathLike,
    *,
    to: str | None = None,
    dry_run: bool = False,
    engine: EngineName = "auto",
    device: DeviceName = "auto",
    precision: PrecisionName = "f32",
    early_exit: bool = False,
    on_long: OnLong = "auto",
    threads: int | None = None,
    report: PathLike | None = None,
    log: Callable[[str], None] | None = None,
) -> RollbackReport:
    """Make an older version of a model the current one again. As the command `rollback`.

    Args:
        releases: Folder of releases that promote has made.
        to: Version that becomes the current one: its name, or the beginning of its fingerprint.
            None means the one before the current one.
        dry_run: Check the version, and change nothing.
        engine: What runs the network.
        device: Where it runs.
        precision: int8 is faster, if the model allows it; fast is int8 with --early-exit.
        early_exit: The linear model answers alone where the network would not change the label.
        on_long: Of texts longer than the model reads: the part to use, or windows over all of it.
        threads: CPU threads to use. None means what this process may use.
        report: Write the run's report to this JSON file, on failure too.
        log: Called with each message, one line.

    Returns:
        What was done.

    Raises:
        TextbatchError: Its subclass tells the kind of error.
    """
    return rollback_model(RollbackConfig.given(locals()), warn=messages_to(log).log)
