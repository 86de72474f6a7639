"""Golden rows: made-up texts. A bundle must give the same answers to them wherever it is loaded."""

from __future__ import annotations

import numpy as np

from textbatch.errors import BundleError
from textbatch.model.bundle.records import MAX_GOLDEN_ROWS, Golden
from textbatch.model.layout import LAYOUT, RESTORE
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.chain import Chain
from textbatch.text.vocabulary import RESERVED, Vocabulary
from textbatch.types import Float32Array

_ROWS = 32
#: What replaying golden rows may take: multiplications, and characters that are split.
_MOST_PRODUCTS, _MOST_CHARACTERS = 2 * 10**10, 1 << 20
#: Texts of words that tell a label: how many words they have, and for how many labels.
_TELLING_WORDS, _MOST_LABELS = (2, 4, 6, 9), 16
_DECORATIONS = ("{}", "{}!", "({})", "“ {} ”", "{} zqxv", "{} 文本")


def golden_texts(
    vocabulary: Vocabulary, *, max_sequence_length: int, seed: int, between: str = " "
) -> list[str]:
    """Make texts of random known words, from one word to more than the limit on length.

    They are not training texts, which are private. They use all parts of the tokenizer: upper
    case, punctuation, unknown words, CJK.

    Args:
        vocabulary: The words.
        max_sequence_length: The limit on length, in tokens.
        seed: Seed of the choice.
        between: What separates words.
    """
    random = np.random.default_rng(seed)
    words = vocabulary.words()
    longest = max_sequence_length + 2
    texts: list[str] = []
    for length in np.linspace(1, longest, _ROWS).round().astype(int):
        picked = [words[index] for index in random.integers(len(words), size=length)]
        # The first words too: they are frequent, so their vectors are trained best.
        picked[0] = words[len(texts) % len(words)]
        text = between.join(
            word.upper() if word.isascii() and random.random() < 0.1 else word for word in picked
        )
        texts.append(_DECORATIONS[len(texts) % len(_DECORATIONS)].format(text))
    return texts


def check_golden(golden: Golden, num_labels: int, name: str) -> None:
    """Check that golden rows have texts and probabilities.

    Args:
        golden: The golden rows.
        num_labels: How many labels there are.
        name: Name of their file.

    Raises:
        BundleError: They have not, or there are too many.
    """
    rows_fit = all(len(row) == num_labels for row in golden.probabilities)
    if not (rows_fit and 0 < len(golden.texts) == len(golden.probabilities) <= MAX_GOLDEN_ROWS):
        raise BundleError(f"{name} is malformed", RESTORE)


def replayed(golden: Golden, network: Architecture | Chain) -> Golden:
    """Which golden rows are computed again: the shortest ones, and no more than take some seconds.

    All of those that training makes, except for the largest networks.

    Args:
        golden: The golden rows.
        network: What answers.

    Returns:
        Those rows; at least one.

    Raises:
        BundleError: The shortest row takes too long.
    """
    left, characters, rows = _MOST_PRODUCTS, _MOST_CHARACTERS, list[int]()
    texts = golden.texts
    for row in sorted(range(len(texts)), key=lambda row: len(texts[row])):
        # A token has a character at least.
        left -= network.products(min(network.max_sequence_length, len(texts[row])))
        characters -= len(texts[row])
        if min(left, characters) < 0:
            break
        rows.append(row)
    if not rows:
        raise BundleError(f"the texts of {LAYOUT.golden} take too long to compute", RESTORE)
    return Golden(
        texts=[texts[row] for row in sorted(rows)],
        probabilities=[golden.probabilities[row] for row in sorted(rows)],
    )


def telling_texts(
    vocabulary: Vocabulary, weights: Float32Array, *, between: str = " "
) -> list[str]:
    """Make texts of the words with the largest weights of a label, for the first labels.

    Args:
        vocabulary: The words.
        weights: Weights of a linear model; the first are those of the tokens. Shape
            `(features, labels)`.
        between: What separates words.
    """
    words = vocabulary.words()
    of_words = weights[len(RESERVED) : len(RESERVED) + len(words)]
    texts = []
    for label in range(min(_MOST_LABELS, weights.shape[1])):
        best = np.argsort(-of_words[:, label], kind="stable")
        for start, count in enumerate(_TELLING_WORDS):
            texts.append(between.join(words[word] for word in best[start : start + count]))
    return texts
