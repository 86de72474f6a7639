"""The report of `tune`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from textbatch.report.files import SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial of a study.

    Attributes:
        number: From 0. The first trial is the unchanged recipe.
        state: `complete`; `pruned`, when it was stopped early because others were better; `fail`,
            when it was interrupted.
        loss: Least validation loss; None unless complete.
        epochs: Epochs that it ran.
        settings: The value of each setting, by name.
    """

    number: int
    state: str
    loss: float | None
    epochs: int
    settings: dict[str, Any]

    def line(self) -> str:
        """The trial on one line, for the terminal."""
        found = "pruned" if self.loss is None else f"validation loss {self.loss:.4f}"
        return f"trial {self.number}: {found} after {self.epochs} epochs"


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneReport:
    """What a search did.

    Attributes:
        study: Directory of the study.
        settings_file: The best settings, for `train --settings`.
        rows: Rows by part.
        best: Number of the best trial.
        trials: All trials of the study.
        settings: The best recipe, with all its settings.
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
