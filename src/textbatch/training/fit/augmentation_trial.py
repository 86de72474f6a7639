"""Fitting with and without augmentation; the network with the lower validation loss is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textbatch.report.training import AugmentationRecord
from textbatch.training.fit.fitted import Fitted
from textbatch.training.run import TrainingRun

#: `auto` keeps augmentation if the validation loss falls in each repetition, and by this share of
#: itself on average: networks that differ only in their seed differ a little too.
MARGIN = 0.02
REPETITIONS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The network that was kept.

    Attributes:
        fitted: The network.
        run: How it was fitted; its methods of augmentation are those that were kept.
        record: The record for the report; None if no augmentation was asked for.
    """

    fitted: Fitted
    run: TrainingRun
    record: AugmentationRecord | None


def choose(run: TrainingRun, fit: Callable[[TrainingRun], Fitted]) -> Choice:
    """Fit with augmentation, as asked; with `auto` also without, and keep the better network.

    Args:
        run: The training, with the methods of augmentation.
        fit: Fits a network.

    Returns:
        The network that was kept.
    """
    asked, methods = run.config.augment, run.config.augment_methods
    if asked != "auto":
        record = AugmentationRecord(asked=asked, methods=list(methods), kept=True, trials=[])
        run = run.with_methods(methods)
        return Choice(fitted=fit(run), run=run, record=record if methods else None)
    trials: list[dict[str, float]] = []
    pairs: list[tuple[Fitted, Fitted]] = []
    gain = 0.0
    for repetition in range(REPETITIONS):
        seed = (run.config.seed + repetition) % 2**31
        run.listener.log(
            f"augmentation, trial {repetition + 1}: without, then with {', '.join(methods)}"
        )
        seeded = run.with_seed(seed)
        pairs.append((fit(seeded.with_methods(())), fit(seeded.with_methods(methods))))
        without, augmented = (fitted.validation_loss for fitted in pairs[-1])
        trials.append({"seed": seed, "without": without, "with": augmented})
        gain += (1 - augmented / without) / REPETITIONS
        # One repetition without an improvement is enough to decide.
        improves = augmented < without
        if not improves:
            break
    kept = improves and gain >= MARGIN
    run.listener.log(
        f"augmentation {'kept' if kept else 'left out'}: "
        + "; ".join(
            f"validation loss {trial['without']:.4f} without, {trial['with']:.4f} with it"
            for trial in trials
        )
    )
    return Choice(
        fitted=pairs[0][kept],
        run=run.with_methods(methods if kept else ()),
        record=AugmentationRecord(asked="auto", methods=list(methods), kept=kept, trials=trials),
    )
