"""A job that several processes have done, as one of a series of runs (`finish --drift-history`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from textbatch.data.output.drift_history import HistoryLine, ModelNight, add_line
from textbatch.data.output.records import RowTotals
from textbatch.data.output.shard_plan import PlanHead
from textbatch.data.storage.location import Location
from textbatch.model.quality.drift_series import DriftSeries, drift_series
from textbatch.scoring.drift_history import check_place, check_series, line_of, nights_of, with_line
from textbatch.scoring.folder.planned_drift import compared

_REMEDY = (
    "look at the runs since then; or run the shares again without --fail-on-drift, which scores "
    "nothing anew, then finish"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSeries:
    """The series that a job belongs to.

    Attributes:
        history: Its file.
        output: The folder that the job fills.
        time: When `finish` began, UTC, ISO 8601.
    """

    history: Path
    output: Location
    time: str

    def check(self) -> None:
        """Check that a line can be added, before the parts are read.

        Raises:
            TextbatchError: As `check_place`.
        """
        check_place(self.history)

    def judge(self, rows: RowTotals, head: PlanHead) -> None:
        """Refuse to complete a job whose series has moved.

        Args:
            rows: What was counted of all parts.
            head: The plan.

        Raises:
            QualityGateError: It has moved, and the shares were told to fail then.
        """
        if head.on_drift == "fail":
            line = self._line(rows, head.fingerprint)
            check_series(self._moved(line, rows, head, pictured=False), _REMEDY)

    def add(
        self, rows: RowTotals, fingerprint: str, head: PlanHead | None
    ) -> dict[str, DriftSeries]:
        """Add a complete job to the history, unless it is there.

        Args:
            rows: What was counted of all parts.
            fingerprint: That of the bundle, or of all together.
            head: The plan; None if it is gone, and with it what the rows are compared with.

        Returns:
            How the series of each model has moved; an empty name for one alone.
        """
        line = self._line(rows, fingerprint)
        add_line(self.history, line)
        if head is None:
            return {}
        return {name: one for name, one in self._moved(line, rows, head) if one is not None}

    def _moved(
        self, line: HistoryLine, rows: RowTotals, head: PlanHead, *, pictured: bool = True
    ) -> Iterator[tuple[str, DriftSeries | None]]:
        lines = with_line(self.history, line)
        fingerprints = {one.name: one.fingerprint for one in line.models}
        for name, _, reference in compared(rows, head):
            nights = nights_of(lines, fingerprints.get(name))
            yield name, drift_series(reference, nights, pictured=pictured)

    def _line(self, rows: RowTotals, fingerprint: str) -> HistoryLine:
        each = {name: (one.fingerprint, one.signs) for name, one in rows.models.items()}
        # How many tokens are unknown the parts do not tell.
        nights = [
            ModelNight(name=name, fingerprint=of, signs=signs)
            for name, (of, signs) in (each or {"": (fingerprint, rows.signs)}).items()
            if signs is not None
        ]
        return line_of(self.output, rows.rows_in, nights, self.time)
