"""The options of `profile`."""

from __future__ import annotations

from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.storage.location import Location, location_of
from textbatch.errors import ConflictError, UsageError
from textbatch.model.options import TextColumnOption
from textbatch.options import option, options
from textbatch.report.options import ReportOptions

_MOST = 2


@options
class ProfileConfig(TextColumnOption, ReadOptions, ReportOptions):
    """The options of `profile`.

    Raises:
        UsageError: There is no file, or there are more than two.
        ConflictError: Two settings exclude each other.
    """

    inputs: tuple[Location, ...] = option(
        "A file or a folder; or two, the second compared with the first.",
        argument=True,
        of=location_of,
        use="read",
    )
    model: Location | None = option(
        "Also count the tokens that this model does not know.",
        first=True,
        default=None,
        flags=("--model", "-m"),
        of=location_of,
        use="read",
        unset="no model",
    )
    of: str | None = option(
        "Of outputs of several models the one whose answers are compared.",
        default=None,
        unset="the only one",
    )
    fail_on_drift: bool = option(
        "Of two files: fail with 69 if the rows of the second are unlike those of the first.",
        default=False,
        decides=False,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.inputs:
            raise UsageError("no file", "name a file or a folder, or two")
        if len(self.inputs) > _MOST:
            raise UsageError(
                f"{len(self.inputs)} files are named, and at most two are compared",
                "put those that belong together into a folder",
            )
        if self.fail_on_drift and len(self.inputs) < _MOST:
            raise ConflictError(
                "--fail-on-drift is about two files", "name another one, or leave it out"
            )
        self.check_standard_input(self.inputs)
