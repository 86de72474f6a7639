"""The options of `import`."""

from __future__ import annotations

from pathlib import Path

from textbatch.data.options import ReplaceOptions
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.storage.location import Location, location_of
from textbatch.errors import ConflictError, UsageError
from textbatch.options import option, options
from textbatch.report.options import ReportOptions
from textbatch.text.choices import Side
from textbatch.training.config.groups import TextOptions


@options
class ImportConfig(TextOptions, ReadOptions, ReplaceOptions, ReportOptions):
    """The options of `import`.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Settings exclude each other.
    """

    keras: Path | None = option(
        "Keras file: .keras, or .h5.", first=True, default=None, unset="an error", use="read"
    )
    tokenizer: Path | None = option(
        "Its Tokenizer, saved by to_json, pickle or joblib.",
        first=True,
        default=None,
        unset="an error",
        use="read",
    )
    labels: Path | None = option(
        "Labels in the order of the outputs: a line each, JSON, or a saved LabelEncoder.",
        default=None,
        unset="their numbers, from 0",
        use="read",
    )
    model: Path = option(
        "Directory to write.",
        first=True,
        default=Path("model"),
        flags=("--model", "-m"),
        use="written",
    )
    padding: Side = option("Where texts were padded; Keras's own default is pre.", default="pre")
    truncating: Side = option(
        "Where longer texts were cut; Keras's own default is pre.", default="pre"
    )
    max_sequence_length: int | None = option(
        "To how many tokens texts were padded.",
        default=None,
        low=1,
        high=10_000,
        unset="what the model's input says",
    )
    calibrate: Location | None = option(
        "Labelled file that the model has not seen, to calibrate with.",
        default=None,
        of=location_of,
        decides=False,
        use="read",
    )
    label_column: str = option("Column that holds the label.", default="label", decides=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.keras is None or self.tokenizer is None:
            missing = "--tokenizer" if self.keras else "--keras"
            raise UsageError(f"{missing} is missing", "give --keras and --tokenizer")
        if self.text_column == self.label_column:
            raise ConflictError(
                f"text and label are both column '{self.text_column}'",
                "name two columns with --text-column and --label-column",
            )
