"""The options of `review`."""

from __future__ import annotations

from pathlib import Path

from textbatch.data.options import ReplaceOptions
from textbatch.data.storage.location import Location, location_of
from textbatch.errors import ConflictError, UsageError
from textbatch.options import option, options
from textbatch.report.options import ReportOptions


@options
class ReviewConfig(ReplaceOptions, ReportOptions):
    """The options of `review`.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Two columns would have the same name.
    """

    scored: Location = option(
        "What score wrote: a file or a folder.", argument=True, of=location_of, use="read"
    )
    output: Path = option(
        "The queue: a .csv or .parquet file.",
        default=Path("queue.csv"),
        flags=("--output", "-o"),
        use="written",
    )
    budget: int = option(
        "How many rows people can label.", first=True, default=200, low=1, high=10_000
    )
    text_column: str = option(
        "Column that holds the text, which the queue quotes.", first=True, default="text"
    )
    label_column: str = option("Name of the empty column for the label.", default="label")
    columns: tuple[str, ...] | None = option(
        "Other columns to quote, as an id.", default=None, commas=True, unset="none"
    )
    of: str | None = option(
        "Of an output of several models the one whose answers count.",
        default=None,
        unset="the only one",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.output.suffix not in (".parquet", ".csv"):
            raise UsageError(
                f"--output {self.output} is neither .parquet nor .csv", "give it such a name"
            )
        names = [self.label_column, self.text_column, *(self.columns or ())]
        if len({*names, *OWN}) < len(names) + len(OWN):
            raise ConflictError(
                "two columns of the queue would have the same name",
                "name another --label-column, or fewer --columns",
            )


#: The columns that the queue always has beside those that are named.
OWN = ("row", "suggested_label", "confidence")
