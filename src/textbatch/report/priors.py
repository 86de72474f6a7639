"""What a report says of `--adapt-priors`."""

from __future__ import annotations

from collections.abc import Iterator

from textbatch.data.output.adapted import AdaptedPriors
from textbatch.report.drift import p_told
from textbatch.report.labels import shown_label
from textbatch.report.scoring import RunReport

#: Labels that are named: those whose shares have changed most.
_MOST_LABELS = 4


def prior_notes(report: RunReport) -> Iterator[str]:
    """Say for each model whether its answers were adapted to another mix of labels.

    Args:
        report: Of the run.
    """
    for one in report.sections:
        if one.priors is not None and report.state in ("done", "skipped"):
            yield f"{f'model {one.name}: ' if one.name else ''}{_told(one.priors)}"


def _told(priors: AdaptedPriors) -> str:
    if not priors.adapted:
        return (
            "--adapt-priors changed nothing: the mix of labels is not surely and clearly another "
            f"one (shift {priors.shift:.1%}, {p_told(priors.p_value)})"
        )
    moved = sorted(priors.now, key=lambda label: -abs(priors.now[label] - priors.before[label]))
    told = ", ".join(
        f"{shown_label(label)} {priors.before[label]:.1%} to {priors.now[label]:.1%}"
        for label in moved[:_MOST_LABELS]
    )
    more = f", and {len(moved) - _MOST_LABELS:,} more" if len(moved) > _MOST_LABELS else ""
    return f"adapted to another mix of labels (shift {priors.shift:.1%}): {told}{more}"
