"""What a job with `--adapt-priors` tells of its mix of labels."""

from __future__ import annotations

from dataclasses import dataclass, field

from textbatch.data.output.signs import Signs
from textbatch.data.strict_json import Count, Share


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptedPriors:
    """The mix of labels that a job's answers were adapted to, or why they were not.

    Attributes:
        adapted: Whether the answers were changed.
        p_value: How often a job of this size, without another mix, looks at least as different.
        shift: The share of rows that would have to be of another label to make both mixes equal.
        rows: Rows that the mix was estimated from.
        before: The share of each label among the held-out rows, by the probabilities they got.
        now: The estimate of its share among the rows of the job.
        signs: The adapted answers, without lengths; None where nothing was changed.
    """

    adapted: bool
    p_value: Share
    shift: Share
    rows: Count
    before: dict[str, Share] = field(default_factory=dict)
    now: dict[str, Share] = field(default_factory=dict)
    signs: Signs | None = None

    def __post_init__(self) -> None:
        if list(self.before) != list(self.now) or (self.signs is not None) > self.adapted:
            raise ValueError("the priors do not fit each other")
