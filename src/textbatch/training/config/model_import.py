"""The options of `import`."""

from __future__ import annotations

from pathlib import Path

from textbatch.data.options import ReplaceOptions
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.storage.location import Location, location_of
from textbatch.errors import ConflictError, UsageError
from textbatch.options import option, options
from textbatch.report.options import ReportOptions
from textbatch.text.choices import Side, Split, Standardize
from textbatch.training.config.groups import TextOptions


@options
class ImportSettings(TextOptions, ReadOptions, ReplaceOptions, ReportOptions):
    """What no file of Keras tells, and where the model goes.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Settings exclude each other.
    """

    model: Path = option(
        "Directory to write.",
        first=True,
        default=Path("model"),
        flags=("--model", "-m"),
        use="written",
    )
    padding: Side | None = option(
        "Where texts were padded.", default=None, unset="pre, as Keras; TextVectorization's is post"
    )
    truncating: Side | None = option(
        "Where longer texts were cut.",
        default=None,
        unset="pre, as Keras; TextVectorization's is post",
    )
    max_sequence_length: int | None = option(
        "To how many tokens texts were padded.",
        default=None,
        low=1,
        high=10_000,
        unset="what the model's input says",
    )
    standardize: Standardize | None = option(
        "What TextVectorization did to texts, if the tokenizer is a list of words.",
        default=None,
        unset="lower_and_strip_punctuation",
    )
    split: Split | None = option(
        "How TextVectorization split them, likewise.", default=None, unset="whitespace"
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
        if self.text_column == self.label_column:
            raise ConflictError(
                f"text and label are both column '{self.text_column}'",
                "name two columns with --text-column and --label-column",
            )


@options
class ImportConfig(ImportSettings):
    """The options of `import`.

    Raises:
        UsageError: As `ImportSettings`.
        ConflictError: As `ImportSettings`.
    """

    keras: Path | None = option(
        "Keras file: .keras, or .h5.", first=True, default=None, unset="an error", use="read"
    )
    tokenizer: Path | None = option(
        "Its Tokenizer, saved by to_json, pickle or joblib; or words of a TextVectorization.",
        first=True,
        default=None,
        unset="the TextVectorization layer that the network begins with",
        use="read",
    )
    labels: Path | None = option(
        "Labels in the order of the outputs: a line each, JSON, or a saved LabelEncoder.",
        default=None,
        unset="their numbers, from 0",
        use="read",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.keras is None:
            raise UsageError("--keras is missing", "give the file of the network with --keras")
