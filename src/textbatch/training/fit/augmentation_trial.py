"""Fitting with and without augmentation, and keeping what validates better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from textbatch.training.config.train import TrainConfig
from textbatch.training.fit.fitted import Learned

#: `auto` keeps augmentation when validation loss falls by this share of itself, on average over
#: the repetitions, and falls in each: networks that differ in their seed alone differ too.
MARGIN = 0.02
REPETITIONS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The network that was kept, its methods, and what the report says about augmentation."""

    network: Learned
    methods: tuple[str, ...]
    record: dict[str, Any] | None


def choose(
    config: TrainConfig,
    fit: Callable[[tuple[str, ...], int], Learned],
    *,
    say: Callable[[str], None],
) -> Chosen:
    """Fit with the methods asked for; with `auto` also without, and keep what validates better.

    Args:
        config: What is asked for.
        fit: Fits a network with the given methods and seed.
        say: Called with one line per step.
    """
    methods = config.augment_methods
    if config.augment != "auto":
        record = {"asked": config.augment, "methods": list(methods), "kept": True, "trials": []}
        return Chosen(
            network=fit(methods, config.seed),
            methods=methods,
            record=record if methods else None,
        )
    trials: list[dict[str, float]] = []
    pairs: list[tuple[Learned, Learned]] = []
    gain = 0.0
    for repetition in range(REPETITIONS):
        seed = (config.seed + repetition) % 2**31
        say(f"augmentation, trial {repetition + 1}: without, then with {', '.join(methods)}")
        pairs.append((fit((), seed), fit(methods, seed)))
        without, augmented = (learned.best_epoch.validation_loss for learned in pairs[-1])
        trials.append({"seed": seed, "without": without, "with": augmented})
        gain += (1 - augmented / without) / REPETITIONS
        # One that does not improve settles it.
        improves = augmented < without
        if not improves:
            break
    kept = improves and gain >= MARGIN
    say(
        f"augmentation {'kept' if kept else 'left out'}: "
        + "; ".join(
            f"validation loss {trial['without']:.4f} without, {trial['with']:.4f} with it"
            for trial in trials
        )
    )
    record = {"asked": "auto", "methods": list(methods), "kept": kept, "trials": trials}
    return Chosen(network=pairs[0][kept], methods=methods if kept else (), record=record)
