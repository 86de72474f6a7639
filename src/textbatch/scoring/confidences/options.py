"""The options of `calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from textbatch.data.options import ReplaceOptions
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.storage.location import STANDARD_INPUT, Location, location_of
from textbatch.errors import ConflictError
from textbatch.options import option, options
from textbatch.report.options import ReportOptions

#: How confidences are mapped.
Method = Literal["auto", "none", "logistic", "isotonic"]


@options
class CalibrateConfig(ReadOptions, ReplaceOptions, ReportOptions):
    """The options of `calibrate`.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Two settings exclude each other.
    """

    scores: Location = option(
        "Table with labels and confidences: Parquet, CSV or JSONL, a file or a folder.",
        argument=True,
        of=location_of,
        use="read",
    )
    truth: Location | None = option(
        "File with the true labels.",
        first=True,
        default=None,
        of=location_of,
        unset="SCORES has them too",
        use="read",
    )
    key: str | None = option(
        "Column that tells which rows belong together.",
        first=True,
        default=None,
        unset="by their position",
    )
    label_column: str = option("Column with the true label.", first=True, default="label")
    predicted_column: str = option(
        "Column of SCORES with its answer.", first=True, default="predicted_label"
    )
    confidence_column: str = option(
        "Column of SCORES with the confidence, from 0 to 1.", first=True, default="confidence"
    )
    output: Path | None = option(
        "Write SCORES with one more column to this file: the calibrated confidence.",
        default=None,
        flags=("--output", "-o"),
        unset="only measure",
        use="written",
    )
    output_column: str = option("Name of that column.", default="calibrated_confidence")
    method: Method = option(
        "How confidences are mapped; auto takes what loses least on rows it was not fitted to.",
        default="auto",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_standard_input((self.scores, self.truth))
        if self.key and self.truth is None:
            raise ConflictError("--key without --truth", "give both or neither")
        if self.output is None:
            return
        if self.scores == STANDARD_INPUT:
            raise ConflictError(
                "standard input is read once, and --output needs SCORES twice", "name a file"
            )
        # Here, not at the top: `--help` must be quick.
        from textbatch.data.output.output_format import find_format

        if find_format(self.output) is None:
            raise ConflictError(
                f"the name {self.output.name} does not say a format that can be written",
                "give a name that ends in .parquet, .csv or .jsonl",
            )
