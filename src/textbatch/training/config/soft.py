"""Options for labels that are not sure."""

from __future__ import annotations

from textbatch.data.storage.location import Location, location_of
from textbatch.errors import ConflictError
from textbatch.options import option, options
from textbatch.training.config.groups import RowOptions


@options
class SoftOptions(RowOptions):
    """Labels from other models or from several people.

    Raises:
        ConflictError: Both are given, or a column is named twice.
    """

    # What the columns hold decides, not what they are called.
    soft_labels: str | None = option(
        "Column with labels and their shares, as a struct, a map or a JSON object; instead of "
        "--label-column.",
        default=None,
        metavar="COLUMN",
        decides=False,
        unset="each row has one label",
    )
    confidence_column: str | None = option(
        "Column that tells how sure each label is, from 0 to 1.",
        default=None,
        decides=False,
        unset="the labels are sure",
    )

    teacher: Location | None = option(
        "Model whose answers to the training rows count half, beside their labels.",
        default=None,
        of=location_of,
        decides=False,
        use="read",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.soft_labels is not None and self.confidence_column is not None:
            raise ConflictError(
                "--soft-labels with --confidence-column: the shares tell how sure the labels are",
                "leave one out",
            )
        for flag, column in (
            ("--soft-labels", self.soft_labels),
            ("--confidence-column", self.confidence_column),
        ):
            others = [self.text_column, self.weight_column]
            if flag == "--confidence-column":
                others.append(self.label_column)
            if column is not None and column in others:
                raise ConflictError(
                    f"{flag} is column '{column}', which another option names too",
                    "name two columns",
                )
