"""The bundle beside simple models, on the same test rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textbatch.errors import QualityGateError

#: These are not there to be beaten.
_NO_BASELINE = ("network alone",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One model on the test rows.

    Attributes:
        name: What it is.
        accuracy: Share of rows with the right label.
        macro_f1: Mean F1 over the labels.
        ours: Whether it is the model of the bundle.
    """

    name: str
    accuracy: float
    macro_f1: float
    ours: bool = False


def check_baselines(
    accuracy: float, contenders: Sequence[Contender], *, required: bool
) -> str | None:
    """The honesty gate: a warning where a simple model does better.

    Args:
        accuracy: The bundle's.
        contenders: Of the same test rows.
        required: Whether to fail instead.

    Raises:
        QualityGateError: One does better, and the caller required otherwise.
    """
    baselines = [one for one in contenders if one.name not in _NO_BASELINE]
    best = max(baselines, key=lambda one: one.accuracy)
    if accuracy >= best.accuracy:
        return None
    what = (
        f"{best.name} has accuracy {best.accuracy:.4f} on the test rows, the model {accuracy:.4f}"
    )
    if required:
        raise QualityGateError(what, "use the simple model, or give more rows or --unlabelled")
    return f"{what}: prefer the simple model, or give more rows or --unlabelled texts"
