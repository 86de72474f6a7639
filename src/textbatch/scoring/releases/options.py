"""The options of `promote` and `rollback`."""

from __future__ import annotations

from textbatch.data.options import LabelOptions
from textbatch.data.storage.location import Location, location_of
from textbatch.errors import ConflictError, UsageError
from textbatch.model.options import EngineOptions, TextColumnOption
from textbatch.options import option, options
from textbatch.report.options import ReportOptions
from textbatch.scoring.releases.requirement import Requirement


@options
class PromoteConfig(LabelOptions, TextColumnOption, EngineOptions, ReportOptions):
    """The options of `promote`.

    Raises:
        UsageError: A setting is out of its range, or a requirement is not understood.
        ConflictError: There are requirements, and no rows to measure on.
    """

    model: Location = option(
        "The new model, or another folder of releases whose current model is the new one.",
        argument=True,
        of=location_of,
        use="read",
    )
    to: Location | None = option(
        "Folder of releases that the model goes into, on this machine or in an object store.",
        first=True,
        default=None,
        of=location_of,
        unset="an error",
        use="written",
    )
    on: tuple[Location, ...] = option(
        "Labelled file that no model was trained on, to compare both models with.",
        first=True,
        default=(),
        of=location_of,
        use="read",
    )
    require: tuple[str, ...] = option(
        "What the new model must reach, as 'accuracy >= current - 0.002'.",
        first=True,
        default=(),
        metavar="CONDITION",
    )
    keep: int = option(
        "How many versions stay, the current one among them.", default=5, low=2, high=1000
    )
    dry_run: bool = option(
        "Compare and check everything, and change nothing.",
        default=False,
        flags=("--dry-run", "-n"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.to is None:
            raise UsageError("--to is missing", "name the folder of releases")
        for text in self.require:
            Requirement.parse(text)
        if self.require and not self.on:
            raise ConflictError(
                "--require needs rows to measure on", "add --on with a labelled file"
            )
        self.check_standard_input(self.on)

    @property
    def folder(self) -> Location:
        """The folder of releases."""
        assert self.to is not None, "it was checked"
        return self.to

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """What the new model must reach."""
        return tuple(map(Requirement.parse, self.require))


@options
class RollbackConfig(EngineOptions, ReportOptions):
    """The options of `rollback`.

    Raises:
        UsageError: A setting is out of its range.
    """

    releases: Location = option(
        "Folder of releases that promote has made.", argument=True, of=location_of, use="written"
    )
    to: str | None = option(
        "Version that becomes the current one: its name, or the beginning of its fingerprint.",
        first=True,
        default=None,
        unset="the one before the current one",
    )
    dry_run: bool = option(
        "Check the version, and change nothing.", default=False, flags=("--dry-run", "-n")
    )
