"""What another program must know of a model, as JSON values that travel with the exported file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from textbatch import __version__
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.network.chain import Chain
from textbatch.text import character_classes
from textbatch.text.characters import APOSTROPHES
from textbatch.text.keras_text import KerasText
from textbatch.text.long_texts import MAX_CHARACTERS
from textbatch.text.normalization import CJK_RANGES, OLDEST_RULES, PUNCTUATION, WHITE_SPACE
from textbatch.types import Float32Array

#: Increased when a field changes its meaning or is removed.
DESCRIPTION_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far an exported file's answers are from the model's, on its golden rows.

    Attributes:
        rows: Golden rows.
        largest: The largest difference of a probability.
        other_labels: Rows that get another label.
    """

    rows: int
    largest: float
    other_labels: int

    @classmethod
    def between(cls, ours: Float32Array, theirs: Float32Array) -> Difference:
        """Compare probabilities.

        Args:
            ours: The model's. Shape `(rows, labels)`.
            theirs: The exported file's. Shape `(rows, labels)`.
        """
        gaps = np.abs(ours - theirs)
        return cls(
            rows=len(ours),
            # NaN is as far away as can be.
            largest=float(np.nan_to_num(gaps, nan=1.0).max(initial=0.0)),
            other_labels=int((ours.argmax(axis=1) != theirs.argmax(axis=1)).sum()),
        )


def description_of(bundle: Bundle) -> dict[str, Any]:
    """Describe a model.

    Args:
        bundle: The model.

    Returns:
        JSON values: labels in the order of the probabilities, vocabulary in the order of its ids,
        the rules by which texts become tokens, and where the model comes from.
    """
    classifier = bundle.classifier
    network = classifier.architecture
    return {
        "version": DESCRIPTION_VERSION,
        "textbatch": __version__,
        "fingerprint": bundle.fingerprint,
        "labels": list(classifier.labels),
        "vocabulary": list(classifier.vocabulary.tokens),
        "tokenizer": tokenizer_rules(classifier),
        "max_sequence_length": network.max_sequence_length,
        "padding": network.padding if isinstance(network, Chain) else "post",
        "temperature": classifier.temperature,
        "network": network.summary(),
    }


def tokenizer_rules(classifier: Classifier) -> dict[str, Any]:
    """The rules of texts as JSON values; `docs/export.md` says what they mean.

    Args:
        classifier: Whose texts they are for.
    """
    if classifier.text:
        rules = "keras" if isinstance(classifier.text, KerasText) else "vectorization"
        return {"rules": rules, "max_characters": MAX_CHARACTERS, **asdict(classifier.text)}
    newest = classifier.text_rules > OLDEST_RULES
    cjk = " ".join(f"{low:x}-{high:x}" for low, high in CJK_RANGES)
    return {
        "rules": "textbatch",
        "version": classifier.text_rules,
        "max_characters": MAX_CHARACTERS,
        "punctuation": PUNCTUATION,
        "white_space": WHITE_SPACE,
        "apostrophes": APOSTROPHES if newest else "",
        "ignored": character_classes.IGNORED if newest else "",
        "separators": character_classes.SEPARATORS if newest else "",
        "alone": character_classes.ALONE if newest else cjk,
        "pieces": character_classes.PIECES if newest else "",
        "marks": character_classes.MARKS if newest else "",
    }


def has_unknown_parts(classifier: Classifier) -> bool:
    """Whether words that the vocabulary lacks change answers, by the characters that they have."""
    return bool(classifier.blend and classifier.blend.model.subwords)


def golden_batch(bundle: Bundle) -> tuple[pa.Array, Float32Array]:
    """The golden texts and their probabilities, for a comparison.

    Args:
        bundle: The model.

    Returns:
        Texts, shape `(rows,)`, and probabilities, shape `(rows, labels)`.
    """
    golden = bundle.golden
    expected = np.array(golden.probabilities, np.float32).reshape(-1, len(bundle.labels))
    return pa.array(golden.texts, pa.large_string()), expected


def linear_part(classifier: Classifier) -> str:
    """How much of the linear model token ids tell: `none` (there is none), `whole`, or less.

    Args:
        classifier: What answers.
    """
    if not classifier.blend:
        return "none"
    return "without the characters of unknown words" if has_unknown_parts(classifier) else "whole"
