"""Comparing outputs, models and texts; rows to be labelled; confidences to be mended.

`python -m tools.python_api` writes the parameters from the classes of options.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textbatch.data.choices import FailOrReplace, InputFormat, LabelNaming, Quoting
from textbatch.data.storage.location import PathLike
from textbatch.model.choices import DeviceName, EngineName, PrecisionName
from textbatch.report.calibrating import CalibrateReport
from textbatch.report.diffing import DiffReport
from textbatch.report.listener import messages_to
from textbatch.report.profiling import ProfileReport
from textbatch.report.reviewing import ReviewReport
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.confidences.calibrate import calibrate as calibrate_table
from textbatch.scoring.confidences.options import CalibrateConfig, Method
from textbatch.scoring.diff.diff import diff as diff_sides
from textbatch.scoring.diff.options import DiffConfig
from textbatch.scoring.profile.options import ProfileConfig
from textbatch.scoring.profile.profile import profile as profile_files
from textbatch.scoring.review.options import ReviewConfig
from textbatch.scoring.review.review import review as review_output
from textbatch.text.choices import OnLong


def diff(
    old: PathLike,
    new: PathLike,
    *,
    key: Sequence[str] | None = None,
    truth: PathLike | None = None,
    label_column: str | None = None,
    on: PathLike | Sequence[PathLike] = (),
    text_column: str | None = None,
    of: Sequence[str] | None = None,
    fail_if_flips: int | str | None = None,
    examples: int = 20,
    columns: Sequence[str] | None = None,
    html: PathLike | None = None,
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
) -> DiffReport:
    """Show what has changed between two outputs, or two models. As the command `diff`.

    Args:
        old: What score wrote before, a file or a folder; or a model.
        new: What score wrote now; or the other model.
        key: Match rows by these columns. None means by their position.
        truth: File with true labels of the same rows.
        label_column: Column with the true label: of --truth, of --on, or else of the outputs. None
            means label, with --truth or --on.
        on: Of two models: labelled file that both answer.
        text_column: Column that holds the text. None means the model's.
        of: Of outputs of several models the one to compare; two names for one of each. None means
            the only one.
        fail_if_flips: Exit with 69 if more rows than this have another label. None means any
            number.
        examples: How many flips to list, the worst ones.
        columns: Columns of NEW whose cells are quoted beside these flips. None means none.
        html: Write a page with pictures to this HTML file.
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
        progress: Called as rows are read.
        log: Called with each message, one line.

    Returns:
        What has changed.

    Raises:
        QualityGateError: More rows have another label than `fail_if_flips` allows.
        TextbatchError: Its subclass tells the kind of error.
    """
    config, listener = DiffConfig.given(locals()), messages_to(log)
    done = diff_sides(config, progress=progress, warn=listener.log)
    for warning in done.warnings:
        listener.log(f"warning: {warning}")
    return done


def review(
    scored: PathLike,
    *,
    budget: int = 200,
    text_column: str = "text",
    output: PathLike = "queue.csv",
    label_column: str = "label",
    columns: Sequence[str] | None = None,
    of: str | None = None,
    if_exists: FailOrReplace = "fail",
    report: PathLike | None = None,
    progress: Progress | None = None,
) -> ReviewReport:
    """List the rows whose labels would teach a model most. As the command `review`.

    Args:
        scored: What score wrote: a file or a folder.
        budget: How many rows people can label.
        text_column: Column that holds the text, which the queue quotes.
        output: The queue: a .csv or .parquet file.
        label_column: Name of the empty column for the label.
        columns: Other columns to quote, as an id. None means none.
        of: Of an output of several models the one whose answers count. None means the only one.
        if_exists: What to do if the output exists.
        report: Write the run's report to this JSON file, on failure too.
        progress: Called as rows are read.

    Returns:
        What was chosen.

    Raises:
        TextbatchError: Its subclass tells the kind of error.
    """
    return review_output(ReviewConfig.given(locals()), progress=progress)


def profile(
    inputs: PathLike | Sequence[PathLike],
    *,
    model: PathLike | None = None,
    text_column: str | None = None,
    of: str | None = None,
    fail_on_drift: bool = False,
    input_format: InputFormat = "auto",
    encoding: str | None = None,
    delimiter: str | None = None,
    quoting: Quoting = "auto",
    null_text: Sequence[str] = (),
    join_lists: str | None = None,
    report: PathLike | None = None,
    progress: Progress | None = None,
    log: Callable[[str], None] | None = None,
) -> ProfileReport:
    """Tell what the texts of a file are like, or how those of a second differ. As `profile`.

    Args:
        inputs: A file or a folder; or two, the second compared with the first.
        model: Also count the tokens that this model does not know. None means no model.
        text_column: Column that holds the text. None means the model's.
        of: Of outputs of several models the one whose answers are compared. None means the only
            one.
        fail_on_drift: Of two files: fail with 69 if the rows of the second are unlike those of the
            first.
        input_format: Format of the input; auto takes it from the file name.
        encoding: Encoding of CSV and JSONL files. None means UTF-8.
        delimiter: Character between the cells of CSV files. None means a tab in .tsv, else a comma.
        quoting: Quotes in CSV files; none reads " as any other character.
        null_text: A text that means a missing one.
        join_lists: Join texts that are lists of strings, with this between. None means refuse them.
        report: Write the run's report to this JSON file, on failure too.
        progress: Called as rows are read.
        log: Called with each message, one line.

    Returns:
        What was counted, and of two files how they differ.

    Raises:
        QualityGateError: The second file has drifted, with `fail_on_drift`.
        TextbatchError: Its subclass tells the kind of error.
    """
    config, listener = ProfileConfig.given(locals()), messages_to(log)
    done = profile_files(config, progress=progress, warn=listener.log)
    for warning in done.warnings:
        listener.log(f"warning: {warning}")
    return done


def calibrate(
    scores: PathLike,
    *,
    truth: PathLike | None = None,
    key: str | None = None,
    label_column: str = "label",
    predicted_column: str = "predicted_label",
    confidence_column: str = "confidence",
    output: PathLike | None = None,
    output_column: str = "calibrated_confidence",
    method: Method = "auto",
    input_format: InputFormat = "auto",
    encoding: str | None = None,
    delimiter: str | None = None,
    quoting: Quoting = "auto",
    null_text: Sequence[str] = (),
    join_lists: str | None = None,
    if_exists: FailOrReplace = "fail",
    report: PathLike | None = None,
    progress: Progress | None = None,
) -> CalibrateReport:
    """Compare the confidences of any table with the truth, and mend them. As the command.

    Args:
        scores: Table with labels and confidences: Parquet, CSV or JSONL, a file or a folder.
        truth: File with the true labels. None means SCORES has them too.
        key: Column that tells which rows belong together. None means by their position.
        label_column: Column with the true label.
        predicted_column: Column of SCORES with its answer.
        confidence_column: Column of SCORES with the confidence, from 0 to 1.
        output: Write SCORES with one more column to this file: the calibrated confidence. None
            means only measure.
        output_column: Name of that column.
        method: How confidences are mapped; auto takes what loses least on rows it was not fitted
            to.
        input_format: Format of the input; auto takes it from the file name.
        encoding: Encoding of CSV and JSONL files. None means UTF-8.
        delimiter: Character between the cells of CSV files. None means a tab in .tsv, else a comma.
        quoting: Quotes in CSV files; none reads " as any other character.
        null_text: A text that means a missing one.
        join_lists: Join texts that are lists of strings, with this between. None means refuse them.
        if_exists: What to do if the output exists.
        report: Write the run's report to this JSON file, on failure too.
        progress: Called as rows are read.

    Returns:
        What the confidences are worth, and the map that mends them.

    Raises:
        TextbatchError: Its subclass tells the kind of error.
    """
    return calibrate_table(CalibrateConfig.given(locals()), progress=progress)
