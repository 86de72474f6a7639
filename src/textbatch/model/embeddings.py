"""Word vectors trained on the training texts themselves, with gensim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from gensim.models import Word2Vec

from textbatch.batch import Float32Array
from textbatch.model.settings import VectorSettings
from textbatch.text.vocabulary import RESERVED, Vocabulary


class _Sentences:
    """Token lists, cut from one flat list as gensim passes over them."""

    def __init__(self, tokens: list[str], offsets: Sequence[int]) -> None:
        self._tokens = tokens
        self._offsets = offsets

    def __iter__(self) -> Iterator[list[str]]:
        for begin, end in zip(self._offsets, self._offsets[1:], strict=False):
            yield self._tokens[begin:end]


def train_vectors(
    tokens: list[str],
    offsets: Sequence[int],
    vocabulary: Vocabulary,
    *,
    settings: VectorSettings,
    seed: int,
) -> Float32Array:
    """Train a vector for each token of a vocabulary.

    Args:
        tokens: All tokens of the training texts, end to end.
        offsets: Text `i` is `tokens[offsets[i]:offsets[i + 1]]`.
        vocabulary: Which tokens get a vector, in which order.
        settings: How to train.
        seed: Of the starting vectors and the sampling.

    Returns:
        The embedding table, shape `(vocabulary_size, dim)`: zeros for padding, the mean vector
        for OOV.
    """
    table = np.zeros((len(vocabulary), settings.dim), np.float32)
    words = vocabulary.words()
    model = Word2Vec(
        vector_size=settings.dim,
        window=settings.window,
        sg=1,
        seed=seed,
        # More than one worker would make the result depend on their timing.
        workers=1,
        min_count=1,
    )
    # Counts steer the sampling only; one each would flatten it, so they are counted here.
    counts = dict.fromkeys(words, 0)
    for token in tokens:
        if token in counts:
            counts[token] += 1
    model.build_vocab_from_freq(counts, corpus_count=len(offsets) - 1)
    model.train(
        _Sentences(tokens, offsets),
        total_examples=len(offsets) - 1,
        epochs=settings.epochs,
    )
    if words:
        table[len(RESERVED) :] = model.wv[list(words)]
        table[len(RESERVED) - 1] = table[len(RESERVED) :].mean(axis=0)
    return table
