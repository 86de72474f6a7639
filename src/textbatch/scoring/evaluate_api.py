"""The function `evaluate`, for callers in Python.

`python -m tools.python_api` writes the parameters from the class of options.
"""

from __future__ import annotations

from collections.abc import Sequence

from textbatch.data.choices import (
    InputFormat,
    LabelNaming,
    Quoting,
)
from textbatch.data.storage.location import PathLike
from textbatch.model.choices import DeviceName, EngineName, PrecisionName
from textbatch.report.evaluation import Evaluation
from textbatch.report.multi_label import MultiLabelEvaluation
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.config import EvaluateConfig
from textbatch.scoring.evaluate import evaluate as evaluate_files
from textbatch.text.choices import OnLong


def evaluate(
    inputs: PathLike | Sequence[PathLike],
    *,
    label_column: str = "label",
    model: PathLike = "model",
    text_column: str | None = None,
    html: PathLike | None = None,
    report_texts: bool = False,
    label_sets: float | None = None,
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
    label_separator: str | None = None,
    explain: int = 0,
    engine: EngineName = "auto",
    device: DeviceName = "auto",
    precision: PrecisionName = "f32",
    early_exit: bool = False,
    on_long: OnLong = "auto",
    threads: int | None = None,
    report: PathLike | None = None,
    progress: Progress | None = None,
) -> Evaluation | MultiLabelEvaluation:
    """Measure a bundle on labelled files.

    Args:
        inputs: Labelled Parquet, CSV or JSONL files; folders; quoted globs; - for stdin.
        label_column: Column that holds the label.
        model: Model directory.
        text_column: Column that holds the text. None means the model's.
        html: Write a page with pictures to this HTML file.
        report_texts: Quote the texts of the surest mistakes in the HTML report.
        label_sets: Add all labels that may be right: the true one is among them this often, as
            0.95. None means none.
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
        label_separator: What stands between the labels of a row, as ';', where they are one text.
            None means the column holds lists.
        explain: Show the surest mistakes, with the K words that carried each; this quotes texts.
        engine: What runs the network.
        device: Where it runs.
        precision: int8 is faster, if the model allows it; fast is int8 with --early-exit.
        early_exit: The linear model answers alone where the network would not change the label.
        on_long: Of texts longer than the model reads: the part to use, or windows over all of it.
        threads: CPU threads to use. None means what this process may use.
        report: Write the run's report to this JSON file, on failure too.
        progress: Called as rows are read and predicted.

    Returns:
        The measures: those of sets of labels for a model that was trained with `multi_label`.

    Raises:
        TextbatchError: Its subclass tells the kind of error.
    """
    return evaluate_files(EvaluateConfig.given(locals()), progress=progress)
