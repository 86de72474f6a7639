"""Word vectors trained on the training texts themselves, with gensim."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from gensim.models import Word2Vec

from textbatch.model.vectors.types import VectorSettings
from textbatch.text.vocabulary import RESERVED, Vocabulary
from textbatch.types import Float32Array

#: Telling costs more than passing over a few words.
_TELL_WORDS = 10_000


class _Sentences:
    """Token lists, cut from one flat list as gensim passes over them."""

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
        tokens: All tokens of the training texts, end to end.
        offsets: Text `i` is `tokens[offsets[i]:offsets[i + 1]]`.
        vocabulary: Which tokens get a vector, in which order.
        settings: How to train.
        seed: Of the starting vectors and the sampling.
        on_words: Told how many more words are passed over; all passes count.

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
        _Sentences(tokens, offsets, on_words),
        total_examples=len(offsets) - 1,
        epochs=settings.epochs,
    )
    if words:
        table[len(RESERVED) :] = model.wv[list(words)]
        table[len(RESERVED) - 1] = table[len(RESERVED) :].mean(axis=0)
    return table
