"""What a search for settings found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from textbatch.report.run import SCHEMA_VERSION

#: Rows of the table: the best trials.
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial of a study.

    Attributes:
        number: From 0; the first is the recipe as it was.
        state: `complete`, `pruned`, or `fail` where it was cut off.
        loss: Least validation loss; None unless complete.
        epochs: Passes over the training rows.
        settings: By name, as `model.space.SPACE` has them.
    """

    number: int
    state: str
    loss: float | None
    epochs: int
    settings: dict[str, Any]

    def line(self) -> str:
        """The trial on one line, for a person who waits."""
        found = "pruned" if self.loss is None else f"validation loss {self.loss:.4f}"
        return f"trial {self.number}: {found} after {self.epochs} epochs"


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneReport:
    """What a search did.

    Attributes:
        study: Its directory.
        settings_file: The best settings, for `train --settings`.
        rows: Rows by part.
        best: Number of the best trial.
        trials: All of the study.
        settings: The best recipe, whole.
        warnings: What the user should look at.
        seconds: Wall time of this run.
        state: `done`; the record of a failed run says `failed`.
    """

    study: str
    settings_file: str
    rows: dict[str, int]
    best: int
    trials: list[Trial]
    settings: dict[str, Any]
    warnings: list[str]
    seconds: float
    state: str = "done"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}


def tuning_tables(report: TuneReport) -> Iterator[RenderableType]:
    """Show the best trials, and how the best differs from the recipe as it was."""
    complete = sorted((t for t in report.trials if t.loss is not None), key=lambda t: t.loss or 0.0)
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("trial", "validation loss", "epochs"):
        table.add_column(Text(name), justify="right")
    for trial in complete[:_SHOWN]:
        table.add_row(str(trial.number), f"{trial.loss:.4f}", str(trial.epochs))
    yield table
    best = next(trial for trial in complete if trial.number == report.best)
    first = next((trial.settings for trial in report.trials if trial.number == 0), {})
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("setting", "best", "as it was"):
        table.add_column(Text(name), justify="left" if name == "setting" else "right")
    for name, value in best.settings.items():
        table.add_row(Text(name), _number(value), _number(first.get(name)))
    yield table


def _number(value: Any) -> str:  # noqa: ANN401
    return "–" if value is None else f"{value:.4g}"
