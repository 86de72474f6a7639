"""Word vectors trained on the training texts themselves, with gensim."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from gensim.models import Word2Vec

from textbatch.model.vectors.types import VectorSettings
from textbatch.text.vocabulary import RESERVED, Vocabulary
from textbatch.types import Float32Array

#: Words between two reports of progress: more reports would cost more time than the words.
_TELL_WORDS = 10_000


class _Sentences:
    """Token lists, cut from one flat list while gensim iterates over them."""

    def __init__(
        self, tokens: list[str], offsets: Sequence[int], on_words: Callable[[int], None]
    ) -> None:
        self._tokens, self._offsets, self._on_words = tokens, offsets, on_words

    def __iter__(self) -> Iterator[list[str]]:
        told = 0
        for begin, end in zip(self._offsets, self._offsets[1:], strict=False):
            if begin - told >= _TELL_WORDS:
                self._on_words(begin - told)
                told = begin
            yield self._tokens[begin:end]
        self._on_words(len(self._tokens) - told)


def train_vectors(
    tokens: list[str],
    offsets: Sequence[int],
    vocabulary: Vocabulary,
    *,
    settings: VectorSettings,
    seed: int,
    on_words: Callable[[int], None] = lambda _: None,
) -> Float32Array:
    """Train a vector for each token of a vocabulary.

    Args:
        tokens: All tokens of the training texts, text after text.
        offsets: Text `i` is `tokens[offsets[i]:offsets[i + 1]]`.
        vocabulary: The tokens that get a vector, in this order.
        settings: How to train.
        seed: Seed of the first vectors and of the sampling.
        on_words: Called with the number of words that were read since the last call. The words of
            every epoch count.

    Returns:
        The embedding table, with zeros for padding and the mean vector for OOV. Shape
        `(vocabulary_size, dim)`.
    """
    table = np.zeros((len(vocabulary), settings.dim), np.float32)
    words = vocabulary.words()
    model = Word2Vec(
        vector_size=settings.dim,
        window=settings.window,
        sg=1,
        seed=seed,
        # With several workers, the result would depend on their timing.
        workers=1,
        min_count=1,
    )
    # gensim uses the counts for its sampling, so they have to be the real ones.
    counts = dict.fromkeys(words, 0)
    for token in tokens:
        if token in counts:
            counts[token] += 1
    model.build_vocab_from_freq(counts, corpus_count=len(offsets) - 1)
    model.train(
        _Sentences(tokens, offsets, on_words),
        total_examples=len(offsets) - 1,
        epochs=settings.epochs,
    )
    if words:
        table[len(RESERVED) :] = model.wv[list(words)]
        table[len(RESERVED) - 1] = table[len(RESERVED) :].mean(axis=0)
    return table
