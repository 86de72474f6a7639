"""Golden rows: made-up texts whose answers a bundle must reproduce wherever it is loaded."""

from __future__ import annotations

import numpy as np

from textbatch.text.vocabulary import Vocabulary

_ROWS = 32
_DECORATIONS = ("{}", "{}!", "({})", "“ {} ”", "{} zqxv", "{} 文本")


def golden_texts(vocabulary: Vocabulary, *, max_sequence_length: int, seed: int) -> list[str]:
    """Make texts of random known words, from one word to past the length limit.

    They are not taken from the training texts, which are private, and they pass through the
    whole tokenizer: upper case, punctuation, unknown words, CJK.

    Args:
        vocabulary: Where the words come from.
        max_sequence_length: The limit.
        seed: Of the choice.
    """
    random = np.random.default_rng(seed)
    words = vocabulary.words()
    longest = max_sequence_length + 2
    texts: list[str] = []
    for length in np.linspace(1, longest, _ROWS).round().astype(int):
        picked = [words[index] for index in random.integers(len(words), size=length)]
        # The first words as well: frequent ones, whose vectors are the best trained.
        picked[0] = words[len(texts) % len(words)]
        text = " ".join(
            word.upper() if word.isascii() and random.random() < 0.1 else word for word in picked
        )
        texts.append(_DECORATIONS[len(texts) % len(_DECORATIONS)].format(text))
    return texts
