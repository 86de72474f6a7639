"""Words and vectors of several sources as one vocabulary and one embedding table."""

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
    """Add words behind those of a vocabulary.

    Args:
        vocabulary: Frequent words of the training texts.
        rare: Words of the training texts that are too rare to learn but have a vector.
        unseen: For each source, its words that training never saw, the most frequent first;
            the sources take turns.
        keep: How many of the unseen words to take at most.
        max_size: The vocabulary's largest size; the words added last are left out.
    """
    known = set(vocabulary.tokens)
    added = [word for word in rare if word not in known]
    known.update(added)
    turns = chain.from_iterable(zip_longest(*unseen))
    kept = [word for word in dict.fromkeys(turns) if word is not None and word not in known]
    return Vocabulary(tokens=(*vocabulary.tokens, *added, *kept[:keep])[:max_size])


def combine(vocabulary: Vocabulary, sources: Sequence[WordVectors], seen: int) -> Float32Array:
    """Lay the vectors of several sources side by side.

    Each source is scaled to the first one's mean length. A word that a source lacks, and OOV,
    have there the mean of the words that training saw: word dropout teaches the network to read
    that as "unknown".

    Args:
        vocabulary: Which tokens get a vector, in which order.
        sources: Their vectors.
        seen: How many of the vocabulary's first words training saw.

    Returns:
        Shape `(vocabulary_size, sum of dims)`: zeros for padding.
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
