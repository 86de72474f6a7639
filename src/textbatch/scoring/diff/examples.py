"""The flips to look at first."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from textbatch.scoring.diff.answers import NONE, Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A row with another label.

    Attributes:
        old_row: Number of the row in the old output, from 1.
        new_row: Number of the row in the new output, from 1.
        old: Code of the old label.
        new: Code of the new label.
        true: Code of the true label; `NONE` if it is not known.
        old_confidence: Confidence of the old label; None without one.
        new_confidence: Confidence of the new label; None without one.
    """

    old_row: int
    new_row: int
    old: int
    new: int
    true: int
    old_confidence: float | None
    new_confidence: float | None


@dataclass(slots=True, kw_only=True)
class WorstFlips:
    """Keeps the worst flips: first those that were right and are wrong now, the surest first.

    A flip is as sure as the less sure of its two answers: where both are sure, one is wrong for
    certain.

    Attributes:
        most: How many are kept.
    """

    most: int
    _kept: list[tuple[tuple[bool, float, int], Flip]] = field(default_factory=list)

    def add(self, block: Block) -> None:
        """Look at the rows of a block.

        Args:
            block: The rows.
        """
        old, new = block.old, block.new
        flips = np.flatnonzero(old.labels != new.labels)
        if not self.most or not len(flips):
            return
        true = np.full(len(old), NONE, np.int32) if block.true is None else block.true
        broken = (true != NONE) & (old.labels == true)
        sure = np.nan_to_num(np.minimum(old.confidences, new.confidences), nan=0.0)
        order = np.lexsort((block.old_rows[flips], -sure[flips], ~broken[flips]))
        for place in flips[order[: self.most]].tolist():
            rank = (not broken[place], -float(sure[place]), int(block.old_rows[place]))
            flip = Flip(
                old_row=int(block.old_rows[place]),
                new_row=int(block.new_rows[place]),
                old=int(old.labels[place]),
                new=int(new.labels[place]),
                true=int(true[place]),
                old_confidence=_number(old.confidences[place]),
                new_confidence=_number(new.confidences[place]),
            )
            self._kept.append((rank, flip))
        self._kept.sort(key=lambda one: one[0])
        del self._kept[self.most :]

    @property
    def flips(self) -> list[Flip]:
        """The worst ones, the worst first."""
        return [flip for _, flip in self._kept]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
