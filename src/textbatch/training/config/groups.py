"""Options that several training commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from textbatch.data.storage.location import Location, location_of
from textbatch.data.weighted_options import WeightedOptions
from textbatch.errors import ConflictError, UsageError
from textbatch.options import Options, option, options

Preset = Literal["default", "seed", "large"]


@options
class TextOptions(Options):
    """Where the texts are."""

    # The rows decide what a model becomes, not the names of their columns.
    text_column: str = option(
        "Column that holds the text.", first=True, default="text", decides=False
    )


@options
class SeedOptions(Options):
    """The seed of everything random."""

    seed: int = option("Seed of everything random.", default=0, low=0, high=2**31 - 1)


#: One row for each split. A rare label may still be missing in one.
MIN_ROWS_PER_LABEL = 3


@options
class RowOptions(TextOptions, WeightedOptions):
    """Labelled rows.

    Raises:
        UsageError: `other` is blank.
        ConflictError: Two of text, label and weight are one column.
    """

    min_rows_per_label: int | None = option(
        "Leave out the rows of labels that have fewer.",
        default=None,
        low=MIN_ROWS_PER_LABEL,
        high=1_000_000,
        unset=f"fewer than {MIN_ROWS_PER_LABEL} are an error",
    )
    other: str | None = option(
        "Give the rows of rare labels this one instead of leaving them out.",
        default=None,
        metavar="LABEL",
        unset="they are left out",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.text_column == self.label_column:
            raise ConflictError(
                f"text and label are both column '{self.text_column}'",
                "name two columns with --text-column and --label-column",
            )
        self.check_weight_column("text", self.text_column)
        if self.other is not None and not self.other.strip():
            raise UsageError("--other is blank", "give a label, as --other other")

    @property
    def rare_below(self) -> int:
        """Labels with fewer rows are left out or folded; 0 if they are an error."""
        if self.min_rows_per_label is not None:
            return self.min_rows_per_label
        return MIN_ROWS_PER_LABEL if self.other is not None else 0


@options
class HeldOutOptions(Options):
    """Files of validation and test rows; without a file, rows are split off the inputs."""

    validation: Location | None = option(
        "Labelled file that stops training early and calibrates.",
        default=None,
        of=location_of,
        decides=False,
        use="read",
    )
    test: Location | None = option(
        "Labelled file for the reported metrics.",
        default=None,
        of=location_of,
        decides=False,
        use="read",
    )

    def beside_inputs(self) -> tuple[Location | None, ...]:
        """What is read besides the labelled files, where it is given."""
        return (self.validation, self.test)


@options
class RecipeOptions(SeedOptions):
    """How a network is made and fitted."""

    preset: Preset = option("Network, and how it is trained.", default="default")
    # A checkpoint depends on the recipe that the file makes, not on the file.
    settings: Path | None = option(
        "TOML or JSON file with settings of the recipe.",
        default=None,
        decides=False,
        use="read",
    )


@options
class JobOptions(Options):
    """How a cross-validation runs."""

    jobs: int | None = option(
        "Folds that are trained at the same time.",
        default=None,
        low=1,
        high=1024,
        unset="one per core",
        decides=False,
    )
