"""Puts the words and vectors of several sources into one vocabulary and one embedding table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, zip_longest

import numpy as np

from textbatch.model.vectors.types import WordVectors
from textbatch.text.vocabulary import OOV_ID, RESERVED, Vocabulary
from textbatch.types import Float32Array


def extend_vocabulary(
    vocabulary: Vocabulary,
    *,
    rare: Sequence[str],
    unseen: Sequence[Sequence[str]],
    keep: int,
    max_size: int,
) -> Vocabulary:
    """Add words at the end of a vocabulary.

    Args:
        vocabulary: Frequent words of the training texts.
        rare: Words of the training texts that are too rare to learn, but have a vector.
        unseen: For each source, its words that are not in the training texts, the most frequent
            first. One word is taken from each source in turn.
        keep: Limit on the number of unseen words.
        max_size: Limit on the size of the vocabulary; the last words are left out.
    """
    known = set(vocabulary.tokens)
    added = [word for word in rare if word not in known]
    known.update(added)
    turns = chain.from_iterable(zip_longest(*unseen))
    kept = [word for word in dict.fromkeys(turns) if word is not None and word not in known]
    return Vocabulary(tokens=(*vocabulary.tokens, *added, *kept[:keep])[:max_size])


def combine(vocabulary: Vocabulary, sources: Sequence[WordVectors], seen: int) -> Float32Array:
    """Put the vectors of several sources side by side.

    The vectors of each source are scaled to the mean length of the first source's. If a source
    lacks a word, its part is the mean over the words of the training texts. OOV has this mean too.
    Word dropout teaches the network to read it as "unknown".

    Args:
        vocabulary: The tokens that get a vector, in this order.
        sources: The vectors of each source.
        seen: How many of the vocabulary's words, from the first on, are in the training texts.

    Returns:
        The embedding table, with zeros for padding. Shape `(vocabulary_size, sum of dims)`.
    """
    row_of = {token: row for row, token in enumerate(vocabulary.tokens)}
    parts: list[Float32Array] = []
    length = 0.0
    for source in sources:
        held = [(row_of[w], place) for place, w in enumerate(source.words) if w in row_of]
        rows, places = np.array(held, np.int64).reshape(-1, 2).T
        part = np.zeros((len(vocabulary), source.table.shape[1]), np.float32)
        part[rows] = source.table[places]
        trained = rows[rows < len(RESERVED) + seen]
        trained = trained if len(trained) else rows
        if len(trained):
            own = float(np.linalg.norm(part[trained], axis=1).mean())
            length = length or own
            mean = part[np.sort(trained)].mean(axis=0)
            lacking = np.ones(len(vocabulary), bool)
            lacking[rows] = False
            part[lacking] = mean
            part *= np.float32(length / own if own else 1.0)
        part[:OOV_ID] = 0
        parts.append(part)
    return np.concatenate(parts, axis=1)
