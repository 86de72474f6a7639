"""`--min-precision`: the confidence that each label needs, and labels that never have enough."""

from __future__ import annotations

from collections.abc import Sequence

from textbatch.errors import QualityGateError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.quality.thresholds import REMEDY, always_withheld, thresholds
from textbatch.report.labels import shown_label
from textbatch.scoring.config import AnswerOptions
from textbatch.types import Float32Array

#: More labels are counted, not named.
_MOST_NAMED = 20


def label_thresholds(bundle: Bundle, options: AnswerOptions) -> Float32Array | None:
    """Find the confidence that each label needs for `--min-precision`.

    Args:
        bundle: Its held-out predictions decide.
        options: The share of right labels that is asked for.

    Returns:
        The least confidence of each label, shape `(labels,)`; None if nothing is asked for.

    Raises:
        QualityGateError: No label can be shown to be right so often; or one has too few held-out
            predictions, with `--strict-precision`.
    """
    if not options.min_precision:
        return None
    precision, labels = options.min_precision, bundle.labels
    found = thresholds(bundle.held_out, labels, precision, strict=options.strict_precision)
    if len(always_withheld(found, labels)) == len(labels):
        raise QualityGateError(
            f"the model's held-out answers show for none of its {len(labels):,} labels a precision "
            f"of {precision:g}: every label would be withheld",
            REMEDY
            if any(bundle.held_out.confidences) or not bundle.classifier.text
            else "`import` it again with --calibrate, or use --min-confidence",
        )
    return found


def withheld_note(withheld: Sequence[str], bundle: Bundle, options: AnswerOptions) -> str:
    """What the report says about labels that are always withheld; empty without any.

    Args:
        withheld: These labels.
        bundle: The model.
        options: The share of right labels that was asked for.
    """
    if not withheld:
        return ""
    names = ", ".join(map(shown_label, withheld[:_MOST_NAMED]))
    more = f" and {len(withheld) - _MOST_NAMED:,} more" if len(withheld) > _MOST_NAMED else ""
    return (
        f"{len(withheld):,} of {len(bundle.labels):,} labels are always withheld, because the "
        f"model's held-out answers do not show a precision of {options.min_precision:g} for them: "
        f"{names}{more}; `train` without --quick and --validation gives a model more such answers"
    )
