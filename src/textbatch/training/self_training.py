"""Self-training: what a network is sure of among unlabelled texts, learned like labels.

Scudder 1965; with neural networks Lee 2013, "pseudo-labels".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from textbatch.data.readers.labelled import LabelledRows
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.calibration import softmax
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.training.calibrate import calibrate
from textbatch.training.config.train import TrainConfig
from textbatch.training.fit.augmentation_trial import MARGIN
from textbatch.training.fit.fitted import Learned
from textbatch.training.split.dataset import Parts
from textbatch.training.unlabelled import unlabelled_of
from textbatch.types import Int64Array, has_evidence

#: Unlabelled texts to answer, at most, as a multiple of the training rows.
_TEXTS = 2
#: Of the texts that get a label, the surest share is learned from: of each label the same, so that
#: easy labels do not crowd out hard ones.
_SHARE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTraining:
    """What self-training came to.

    Attributes:
        texts: Unlabelled texts that were answered.
        rows: Those learned from.
        without: Least validation loss of the first network.
        with_rows: That of the one that learned from them.
        kept: Whether it took the first one's place.
    """

    texts: int
    rows: int
    without: float
    with_rows: float
    kept: bool

    def line(self) -> str:
        """In words."""
        return (
            f"self-training on {self.rows:,} of {self.texts:,} texts "
            f"{'kept' if self.kept else 'left out'}: validation loss {self.without:.4f} without, "
            f"{self.with_rows:.4f} with it"
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def self_train(
    config: TrainConfig,
    parts: Parts,
    first: Learned,
    fit: Callable[[Parts], Learned],
    *,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> tuple[Learned, Parts, SelfTraining]:
    """Answer unlabelled texts, fit a second network to the surest as well, keep the better one.

    The better one has a validation loss lower by a margin. The validation rows are real ones.

    Args:
        config: Names the unlabelled texts.
        parts: The labelled rows.
        first: Fitted to them.
        fit: Fits a network with the vocabulary and the word vectors of the first.
        say: Called with one line at the end.
        progress: Told about the texts read and answered.

    Returns:
        The network to go on with, the parts that it learned from, and what was found.

    Raises:
        DataError: A file of texts is malformed.
    """
    known = [part.texts for part in (parts.training, parts.validation, parts.test)]
    with step_of(progress, None, step="reading unlabelled", unit="texts") as step:
        texts = unlabelled_of(config).sample(
            _TEXTS * len(parts.training), known=known, seed=config.seed, on_read=step.advance
        )
    with step_of(progress, len(texts), step="self-training", unit="texts") as step:
        pseudo = _surest(config, parts, first, texts, step.advance)
    if not len(pseudo):
        loss = first.best_epoch.validation_loss
        found = SelfTraining(texts=len(texts), rows=0, without=loss, with_rows=loss, kept=False)
        say(found.line())
        return first, parts, found
    with_pseudo = replace(parts, pseudo=pseudo)
    second = fit(with_pseudo)
    losses = [one.best_epoch.validation_loss for one in (first, second)]
    kept = losses[1] < losses[0] * (1 - MARGIN)
    found = SelfTraining(
        texts=len(texts), rows=len(pseudo), without=losses[0], with_rows=losses[1], kept=kept
    )
    say(found.line())
    return (second, with_pseudo, found) if kept else (first, parts, found)


def _surest(
    config: TrainConfig,
    parts: Parts,
    first: Learned,
    texts: pa.Array,
    on_rows: Callable[[int], None],
) -> LabelledRows:
    """The surest answers of the network, and the linear model beside it, by predicted label."""
    network = Classifier(
        architecture=first.architecture,
        vocabulary=first.tokenizer.vocabulary,
        labels=parts.labels,
        weights=first.weights,
    )
    classifier = calibrate(network, parts, blend=config.blend == "auto").classifier
    with open_predictor(classifier) as predictor:
        logits, status = predictor.predict_logits(texts, on_rows=on_rows)
    answered = np.flatnonzero(has_evidence(status))
    probabilities = softmax(logits[answered], classifier.temperature)
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    chosen: list[Int64Array] = [
        rows[np.argsort(-confidence[rows], kind="stable")][: int(_SHARE * len(rows))]
        for rows in (np.flatnonzero(predicted == label) for label in range(len(parts.labels)))
    ]
    kept = np.sort(np.concatenate(chosen))
    return LabelledRows(
        texts=texts.take(pa.array(answered[kept])),
        labels=pa.array(parts.labels, parts.training.labels.type).take(pa.array(predicted[kept])),
    )
