"""The options of `diff`."""

from __future__ import annotations

from pathlib import Path

from textbatch.data.bad_row_limit import BadRowLimit, count_or_share
from textbatch.data.options import LabelRowOptions
from textbatch.data.storage.location import Location, location_of
from textbatch.errors import ConflictError, UsageError
from textbatch.model.options import EngineOptions, TextColumnOption
from textbatch.options import option, options
from textbatch.report.options import ReportOptions


@options
class DiffConfig(TextColumnOption, LabelRowOptions, EngineOptions, ReportOptions):
    """The options of `diff`.

    Raises:
        UsageError: A setting is out of its range.
        ConflictError: Two settings exclude each other.
    """

    old: Location = option(
        "What score wrote before, a file or a folder; or a model.",
        argument=True,
        of=location_of,
        use="read",
    )
    new: Location = option(
        "What score wrote now; or the other model.", argument=True, of=location_of, use="read"
    )
    key: tuple[str, ...] | None = option(
        "Match rows by these columns.",
        first=True,
        default=None,
        commas=True,
        unset="by their position",
    )
    truth: Location | None = option(
        "File with true labels of the same rows.",
        first=True,
        default=None,
        of=location_of,
        use="read",
    )
    label_column: str | None = option(
        "Column with the true label: of --truth, of --on, or else of the outputs.",
        first=True,
        default=None,
        unset="label, with --truth or --on",
    )
    on: tuple[Location, ...] = option(
        "Of two models: labelled file that both answer.",
        first=True,
        default=(),
        of=location_of,
        use="read",
    )
    of: tuple[str, ...] | None = option(
        "Of outputs of several models the one to compare; two names for one of each.",
        default=None,
        commas=True,
        unset="the only one",
    )
    fail_if_flips: int | str | None = option(
        "Exit with 69 if more rows than this have another label.",
        default=None,
        metavar="N|P%",
        of=count_or_share,
        unset="any number",
    )
    examples: int = option("How many flips to list, the worst ones.", default=20, low=0, high=1000)
    columns: tuple[str, ...] | None = option(
        "Columns of NEW whose cells are quoted beside these flips.",
        default=None,
        commas=True,
        unset="none",
    )
    html: Path | None = option(
        "Write a page with pictures to this HTML file.", default=None, use="written"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fail_if_flips is not None:
            BadRowLimit.parse(self.fail_if_flips, flag="--fail-if-flips")
        if self.of and len(self.of) > 2:
            raise UsageError(
                f"--of names {len(self.of)} models", "name one, or one of OLD and one of NEW"
            )
        if self.on:
            self._check_models()
        self.check_standard_input([*self.on, self.truth])

    def _check_models(self) -> None:
        given = {
            "--key": self.key,
            "--truth": self.truth,
            "--of": self.of,
            "--columns": self.columns,
        }
        for flag, value in given.items():
            if value:
                raise ConflictError(
                    f"{flag} is about outputs, and --on about two models", "leave one out"
                )

    def check_outputs(self) -> None:
        """Check the options for two outputs, when it is known that they are no models.

        Raises:
            ConflictError: One is about the rows of `--on`.
        """
        given = {
            "--skip-unlabelled": self.skip_unlabelled,
            "--normalize-labels": self.normalize_labels,
            "--quarantine": self.quarantine,
            "--text-column": self.text_column,
        }
        for flag, value in given.items():
            if value:
                raise ConflictError(f"{flag} is about the rows of --on", "leave it out")

    @property
    def limit(self) -> BadRowLimit | None:
        """How many rows may have another label; None for any number."""
        if self.fail_if_flips is None:
            return None
        return BadRowLimit.parse(self.fail_if_flips, flag="--fail-if-flips")

    @property
    def true_column(self) -> str:
        """The column of `--truth` or `--on` with the true label."""
        return self.label_column or "label"
