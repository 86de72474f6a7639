"""A model beside simple models, on the same test rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One model on the test rows.

    Attributes:
        name: Name of the model.
        accuracy: Share of right answers.
        macro_f1: Mean F1 over the labels.
        ours: Whether it is the model of the bundle.
    """

    name: str
    accuracy: float
    macro_f1: float
    ours: bool = False
