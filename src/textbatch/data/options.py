"""Options about inputs and outputs that several commands have."""

from __future__ import annotations

from textbatch.data.bad_row_limit import BadRowLimit, count_or_share
from textbatch.data.choices import FailOrReplace, LabelNaming
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.storage.location import Location, location_of
from textbatch.errors import ConflictError, UsageError
from textbatch.options import Options, option, options


@options
class BadRowOptions(Options):
    """What becomes of rows that cannot be read, where there is no output that they could stay in.

    Raises:
        UsageError: The limit is no number of rows and no share.
        ConflictError: There is a limit, and no file for the rows.
    """

    quarantine: Location | None = option(
        "Leave out rows that cannot be read; list them in this JSONL file.",
        default=None,
        of=location_of,
        decides=False,
        use="written",
    )
    max_bad_rows: int | str | None = option(
        "Fail if more rows than this cannot be read.",
        default=None,
        metavar="N|P%",
        of=count_or_share,
        unset="any number, with --quarantine",
        decides=False,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_bad_rows is None:
            return
        BadRowLimit.parse(self.max_bad_rows)
        if not self.quarantine:
            raise ConflictError(
                "--max-bad-rows counts the rows that --quarantine leaves out; without it each is "
                "an error",
                "add --quarantine FILE, or leave it out",
            )


@options
class LabelRowOptions(ReadOptions, BadRowOptions):
    """What becomes of the rows of labelled files."""

    skip_unlabelled: bool = option("Leave out rows without a label.", default=False)
    normalize_labels: bool = option(
        "Labels that differ only by case, blanks or the form of letters are one.", default=False
    )
    label_names: LabelNaming = option(
        "Names of integer labels in the footer of Hugging Face's Parquet; off takes the integers.",
        default="auto",
    )


@options
class LabelOptions(LabelRowOptions):
    """How labelled files are read."""

    # A model goes by its rows, whatever their columns are called.
    label_column: str = option(
        "Column that holds the label.", first=True, default="label", decides=False
    )


@options
class LabelledOptions(LabelOptions):
    """Labelled files.

    Raises:
        UsageError: There is none.
    """

    inputs: tuple[Location, ...] = option(
        "Labelled Parquet, CSV or JSONL files; folders; quoted globs; - for stdin.",
        argument=True,
        of=location_of,
        decides=False,
        use="read",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.inputs:
            raise UsageError("no input file", "name at least one labelled file")
        self.check_standard_input(self.inputs)


@options
class ReplaceOptions(Options):
    """What becomes of an output that is there already."""

    if_exists: FailOrReplace = option(
        "What to do if the output exists.",
        default="fail",
        short=("--overwrite", "replace", "Replace what is there."),
        decides=False,
    )
