"""The report of `calibrate`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from textbatch.model.quality.confidence_map import ConfidenceMap
from textbatch.model.quality.reliability import ReliabilityBin
from textbatch.report.files import SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class MapMeasure:
    """How well confidences of one method say how many answers are right.

    Each answer is measured with a map that was fitted to the answers of other folds.

    Attributes:
        method: `none` for the confidences as they are, `logistic` or `isotonic`.
        log_loss: Mean of -log p(what came true), in nats an answer.
        brier: Mean squared difference from what came true (Brier 1950).
        ece: Expected calibration error, in 15 bins of equal width.
    """

    method: str
    log_loss: float
    brier: float
    ece: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateReport:
    """What the confidences of a table are worth, and how they were mended.

    Attributes:
        scores: The table.
        truth: The file with the true labels; empty if the table has them.
        rows: Rows of the table.
        answers: Rows with a confidence and a true label: all measures are about these.
        unanswered: Rows without a label or without a confidence.
        untold: Rows with an answer whose true label is not known.
        unused: True labels of which the table has no row; 0 without a key.
        accuracy: Share of right answers.
        mean_confidence: Mean of the confidences as they are.
        ece_by_chance: The calibration error that confidences which mean what they say pass once
            in 20 times.
        measures: Of each method that was tried.
        map: The map that was chosen, fitted to all answers.
        before: The answers by confidence, in bins of equal width.
        after: The same by what the chosen method makes of it, of answers that it had not seen.
        output: The table with calibrated confidences; empty without one.
        state: `done`; the record of a failed run says `failed`.
    """

    scores: str
    truth: str
    rows: int
    answers: int
    unanswered: int
    untold: int
    unused: int
    accuracy: float
    mean_confidence: float
    ece_by_chance: float
    measures: list[MapMeasure]
    map: ConfidenceMap
    before: list[ReliabilityBin]
    after: list[ReliabilityBin]
    output: str = ""
    state: str = "done"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}

    def lines(self) -> Iterator[str]:
        """Describe it, for the terminal."""
        yield (
            f"{self.answers:,} of {self.rows:,} rows have an answer and a true label: accuracy "
            f"{self.accuracy:.4f}, mean confidence {self.mean_confidence:.4f}"
        )
        left_out = {
            "rows without an answer": self.unanswered,
            "answers without a true label": self.untold,
            "true labels without a row": self.unused,
        }
        if told := [f"{count:,} {name}" for name, count in left_out.items() if count]:
            yield f"left out: {', '.join(told)}"
        yield (
            f"confidences that mean what they say have a calibration error up to "
            f"{self.ece_by_chance:.4f} by chance"
        )
        chosen = self.map
        if chosen.method == "none":
            yield "no map is better: the confidences stay as they are"
        elif chosen.method == "logistic":
            yield (
                f"chosen: logistic, sigmoid({chosen.slope:.4f} · logit(confidence) "
                f"{chosen.intercept:+.4f})"
            )
        else:
            yield f"chosen: isotonic, straight lines between {len(chosen.points):,} points"
