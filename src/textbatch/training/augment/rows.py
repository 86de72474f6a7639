"""The training rows of each epoch: altered texts, and texts from templates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
import pyarrow as pa

from textbatch.model.fitting.settings import LabelledTokens
from textbatch.training.augment.alterations import Alterations
from textbatch.training.augment.labelled_templates import LabelledTemplates
from textbatch.types import Int64Array, TokenBatch

#: For a label with templates: the number of made-up rows for each real row, and the weight of a
#: made-up row beside a real one. Together the made-up rows weigh a quarter of the real ones.
MADE_UP_SHARE, MADE_UP_WEIGHT = 0.5, 0.5


class AugmentedRows:
    """The training rows of each epoch. Every epoch has the same number of rows.

    Args:
        real: The labelled rows. Each is in every epoch, altered or not.
        alterations: Alters the real rows.
        templates: What made-up rows are made from; None for no such rows.
        labels: The labels, in the order of their ids.
        encode: Turns texts into token ids.
        seed: Seed of everything that is drawn.
    """

    def __init__(
        self,
        real: LabelledTokens,
        *,
        alterations: Alterations,
        templates: LabelledTemplates | None,
        labels: tuple[str, ...],
        encode: Callable[[pa.Array], TokenBatch],
        seed: int,
    ) -> None:
        self._real = real
        self._alterations = alterations
        self._templates = templates
        self._labels = labels
        self._encode = encode
        self._seed = seed

    def of_epoch(self, number: int) -> LabelledTokens:
        """Make the rows of an epoch. They depend only on its number, so a resumed fit is equal."""
        tokens = self._alterations.alter(np.random.default_rng([self._seed, number]))
        real = self._real
        if not self._templates:
            return replace(real, tokens=tokens)
        texts, label_ids = made_up_texts(
            Random(f"texts of seed {self._seed}, pass {number}"),
            self._templates,
            self._labels,
            real.label_ids,
        )
        # The mean weight of a label's rows: that of its class, where rows have none of their own.
        counts = np.bincount(real.label_ids, minlength=len(self._labels))
        sums = np.bincount(real.label_ids, real.weights, minlength=len(self._labels))
        class_weights = np.asarray(sums / np.maximum(1, counts), np.float32)
        targets = None
        if real.targets is not None:
            sure = np.eye(len(self._labels), dtype=np.float32)[label_ids]
            targets = np.concatenate([real.targets, sure])
        return LabelledTokens(
            tokens=_joined(tokens, self._encode(texts)),
            label_ids=np.concatenate([real.label_ids, label_ids]),
            weights=np.concatenate([real.weights, MADE_UP_WEIGHT * class_weights[label_ids]]),
            targets=targets,
        )


def made_up_texts(
    random: Random,
    templates: LabelledTemplates,
    labels: tuple[str, ...],
    label_ids: Int64Array,
) -> tuple[pa.Array, Int64Array]:
    """Make texts from templates. Their number depends on the number of real rows of their label.

    Args:
        random: Chooses patterns and phrases.
        templates: Templates for some of the labels.
        labels: The labels, in the order of their ids.
        label_ids: Labels of the real rows. Shape `(rows,)`.

    Returns:
        Texts and their label ids, both of shape `(made_up,)`.
    """
    counts = np.bincount(label_ids, minlength=len(labels))
    wanted = [
        int(np.ceil(MADE_UP_SHARE * count)) if label in templates.patterns else 0
        for label, count in zip(labels, counts, strict=True)
    ]
    texts = [
        text
        for label, count in zip(labels, wanted, strict=True)
        if count
        for text in templates.texts(random, label, count)
    ]
    return pa.array(texts, pa.large_string()), np.repeat(np.arange(len(labels)), wanted)


def _joined(first: TokenBatch, second: TokenBatch) -> TokenBatch:
    return TokenBatch(
        token_ids=np.concatenate([first.token_ids, second.token_ids]),
        offsets=np.concatenate([first.offsets, first.offsets[-1] + second.offsets[1:]]),
        truncated=np.concatenate([first.truncated, second.truncated]),
    )
