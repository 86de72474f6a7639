"""Options for going on from a model with new rows."""

from __future__ import annotations

from textbatch.data.storage.location import Location, location_of
from textbatch.errors import ConflictError
from textbatch.options import Options, option, options


@options
class UpdateOptions(Options):
    """A model to go on from.

    Raises:
        ConflictError: There are old rows without a model that learned from them.
    """

    # Its fingerprint decides, not where it stands.
    update: Location | None = option(
        "Model to go on from: its words, network and labels. The inputs are rows that it has not "
        "seen.",
        default=None,
        of=location_of,
        metavar="MODEL",
        decides=False,
        use="read",
    )
    old_rows: Location | None = option(
        "Labelled file that the model of --update learned from, to learn from again; it measures "
        "nothing.",
        default=None,
        of=location_of,
        decides=False,
        use="read",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.old_rows is not None and self.update is None:
            raise ConflictError("--old-rows without --update", "give both or neither")
