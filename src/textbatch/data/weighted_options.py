"""Options of labelled files whose rows may count more or less."""

from __future__ import annotations

from textbatch.data.options import LabelledOptions
from textbatch.errors import ConflictError
from textbatch.options import option, options


@options
class WeightedOptions(LabelledOptions):
    """Labelled files, whose rows may have weights.

    Raises:
        ConflictError: Label and weight are one column.
    """

    # The weights decide what a model becomes, not the name of their column.
    weight_column: str | None = option(
        "Column with a number that tells how much the row counts; 0 leaves it out.",
        default=None,
        decides=False,
        unset="all rows count the same",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_weight_column("label", self.label_column)

    def check_weight_column(self, other: str, column: str | None) -> None:
        """Check that the weights have a column of their own.

        Args:
            other: What the other column holds.
            column: The other column; None if it is not known yet.

        Raises:
            ConflictError: It is the same.
        """
        if self.weight_column is not None and self.weight_column == column:
            raise ConflictError(
                f"{other} and weight are both column '{column}'",
                f"name two columns with --{other}-column and --weight-column",
            )
