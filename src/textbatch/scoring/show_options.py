"""The options of `show` and `predict`."""

from __future__ import annotations

from textbatch.data.choices import StatusName
from textbatch.data.storage.location import Location, location_of
from textbatch.model.options import NamedModel
from textbatch.options import Options, option, options
from textbatch.scoring.config import ANSWERS


@options
class ShowOptions(Options):
    """The options of `show`: which rows of which output."""

    output: Location = option(
        "What score wrote: a file or a folder.", argument=True, of=location_of, use="read"
    )
    rows: int = option(
        "How many rows at most.", first=True, default=10, low=1, high=1_000_000, decides=False
    )
    status: StatusName | None = option("Only rows with this status.", default=None, decides=False)
    label: str | None = option("Only rows with this predicted label.", default=None, decides=False)
    below: float | None = option(
        "Only rows with a smaller confidence, as 0.6.",
        default=None,
        low=0.0,
        high=1.0,
        decides=False,
    )
    of: str | None = option(
        "Of several models the one whose answers --status, --label and --below mean.",
        default=None,
        decides=False,
    )
    columns: tuple[str, ...] | None = option(
        "Columns to show.", default=None, commas=True, unset="all", decides=False
    )

    @property
    def filters(self) -> dict[str, str | float]:
        """What is asked of the three columns, by their names without prefix."""
        label, confidence, status = ANSWERS
        asked = {label: self.label, confidence: self.below, status: self.status}
        return {name: value for name, value in asked.items() if value is not None}


@options
class PredictOptions(NamedModel):
    """The options of `predict`: which texts, and which model answers."""

    texts: tuple[str, ...] = option(
        "Texts; - for one text on each line of standard input.", argument=True, decides=False
    )
