"""Searching settings, and rows whose label is likely wrong.

`python -m tools.python_api` writes the parameters from the classes of options.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textbatch.data.choices import FailOrReplace, InputFormat, LabelNaming, Quoting
from textbatch.data.storage.location import PathLike
from textbatch.report.audit import AuditReport
from textbatch.report.listener import messages_to
from textbatch.report.tuning import TuneReport
from textbatch.training.audit import audit as audit_rows
from textbatch.training.config.audit import AuditConfig
from textbatch.training.config.groups import Preset
from textbatch.training.config.tune import TuneConfig
from textbatch.training.tune import tune as tune_settings


def tune(
    inputs: PathLike | Sequence[PathLike],
    *,
    text_column: str = "text",
    label_column: str = "label",
    study: PathLike = "study",
    trials: int = 30,
    time_budget: float | None = None,
    min_rows_per_label: int | None = None,
    other: str | None = None,
    weight_column: str | None = None,
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
    validation: PathLike | None = None,
    test: PathLike | None = None,
    preset: Preset = "default",
    settings: PathLike | None = None,
    seed: int = 0,
    report: PathLike | None = None,
    log: Callable[[str], None] | None = None,
) -> TuneReport:
    """Search the settings with the least loss on held-out rows. As the command `tune`.

    Args:
        inputs: Labelled Parquet, CSV or JSONL files; folders; quoted globs; - for stdin.
        text_column: Column that holds the text.
        label_column: Column that holds the label.
        study: Directory of the trials; a later run continues them.
        trials: Number of trials, with those of earlier runs.
        time_budget: Seconds after which no trial begins.
        min_rows_per_label: Leave out the rows of labels that have fewer. None means fewer than 3
            are an error.
        other: Give the rows of rare labels this one instead of leaving them out. None means they
            are left out.
        weight_column: Column with a number that tells how much the row counts; 0 leaves it out.
            None means all rows count the same.
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
        validation: Labelled file that stops training early and calibrates.
        test: Labelled file for the reported metrics.
        preset: Network, and how it is trained.
        settings: TOML or JSON file with settings of the recipe.
        seed: Seed of everything random.
        report: Write the run's report to this JSON file, on failure too.
        log: Called with each message, one line.

    Returns:
        The report.

    Raises:
        TextbatchError: Its subclass tells the kind of error.
    """
    return tune_settings(TuneConfig.given(locals()), listener=messages_to(log))


def audit(
    inputs: PathLike | Sequence[PathLike],
    *,
    text_column: str = "text",
    label_column: str = "label",
    output: PathLike = "label-errors.parquet",
    model: PathLike | None = None,
    folds: int = 5,
    texts: bool = False,
    min_rows_per_label: int | None = None,
    other: str | None = None,
    weight_column: str | None = None,
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
    preset: Preset = "default",
    settings: PathLike | None = None,
    seed: int = 0,
    jobs: int | None = None,
    if_exists: FailOrReplace = "fail",
    report: PathLike | None = None,
    log: Callable[[str], None] | None = None,
) -> AuditReport:
    """Find rows whose label is likely wrong, and write them to a file. As the command `audit`.

    Args:
        inputs: Labelled Parquet, CSV or JSONL files; folders; quoted globs; - for stdin.
        text_column: Column that holds the text.
        label_column: Column that holds the label.
        output: .parquet or .csv file.
        model: Use this model, which must not have seen the rows.
        folds: Cross-validate in K parts.
        texts: Write the texts too.
        min_rows_per_label: Leave out the rows of labels that have fewer. None means fewer than 3
            are an error.
        other: Give the rows of rare labels this one instead of leaving them out. None means they
            are left out.
        weight_column: Column with a number that tells how much the row counts; 0 leaves it out.
            None means all rows count the same.
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
        preset: Network, and how it is trained.
        settings: TOML or JSON file with settings of the recipe.
        seed: Seed of everything random.
        jobs: Folds that are trained at the same time. None means one per core.
        if_exists: What to do if the output exists.
        report: Write the run's report to this JSON file, on failure too.
        log: Called with each message, one line.

    Returns:
        The report.

    Raises:
        TextbatchError: Its subclass tells the kind of error.
    """
    return audit_rows(AuditConfig.given(locals()), listener=messages_to(log))
