"""Words and pairs of neighbouring words: the features of a linear model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from textbatch.model.linear.hash_index import KeyIndex
from textbatch.model.linear.row_sums import offsets_of
from textbatch.text.vocabulary import OOV_ID
from textbatch.types import BoolArray, FeatureBatch, Int32Array, Int64Array, TokenBatch

#: A pair of token ids is one number. The first id is in the upper bits, the second in the lower.
_ID_BITS = 32


@dataclass(frozen=True, kw_only=True)
class Ngrams:
    """The features: each known token, then each pair that is frequent enough in training.

    Attributes:
        vocabulary_size: Number of tokens. The feature of a token is its id.
        pairs: The pairs as numbers, ascending. The feature of a pair is `vocabulary_size` plus its
            position here. Shape `(pairs,)`.
    """

    vocabulary_size: int
    pairs: Int64Array

    @classmethod
    def build(
        cls, tokens: TokenBatch, *, vocabulary_size: int, min_rows: int, max_pairs: int
    ) -> Ngrams:
        """Keep the pairs that occur in the most rows.

        Args:
            tokens: Tokens of the training texts.
            vocabulary_size: Size of the vocabulary that the token ids come from.
            min_rows: Pairs that occur in fewer rows are left out.
            max_pairs: Limit on the pairs that are kept.
        """
        keys, rows, _ = _pairs(tokens)
        order = np.lexsort([rows, keys])
        keys, rows = keys[order], rows[order]
        fresh = np.ones(len(keys), bool)
        fresh[1:] = (keys[1:] != keys[:-1]) | (rows[1:] != rows[:-1])
        found, counts = np.unique(keys[fresh], return_counts=True)
        often = np.flatnonzero(counts >= min_rows)
        # A stable sort: of equally frequent pairs, it keeps those with the more frequent words.
        kept = often[np.argsort(-counts[often], kind="stable")[:max_pairs]]
        return cls(vocabulary_size=vocabulary_size, pairs=np.sort(found[kept]))

    @classmethod
    def of_ids(cls, vocabulary_size: int, ids: Int32Array) -> Ngrams:
        """Make the features from pairs of token ids.

        Args:
            vocabulary_size: Number of tokens.
            ids: The pairs, ascending. Shape `(pairs, 2)`.
        """
        first, second = ids.astype(np.int64).T
        return cls(vocabulary_size=vocabulary_size, pairs=(first << _ID_BITS) | second)

    def pairs_of_ids(self) -> Int32Array:
        """The pairs as token ids. Shape `(pairs, 2)`."""
        first, second = np.divmod(self.pairs, 1 << _ID_BITS)
        return np.stack([first, second], axis=1).astype(np.int32)

    def __len__(self) -> int:
        return self.vocabulary_size + len(self.pairs)

    def features(self, tokens: TokenBatch) -> FeatureBatch:
        """Find the features of each row: words first, then pairs.

        Unknown tokens are no features, and are in no pair.

        Args:
            tokens: Tokens of the rows.
        """
        keys, rows_of_pairs, known = _pairs(tokens)
        rows_of_words = np.repeat(np.arange(len(tokens)), tokens.lengths)[known]
        places = self._index.places(keys)
        rows_of_pairs, places = rows_of_pairs[places >= 0], places[places >= 0]
        words = offsets_of(rows_of_words, len(tokens))
        pairs = offsets_of(rows_of_pairs, len(tokens))
        features = np.empty(words[-1] + pairs[-1], np.int32)
        features[np.arange(words[-1]) + pairs[rows_of_words]] = tokens.token_ids[known]
        features[np.arange(pairs[-1]) + words[rows_of_pairs + 1]] = self.vocabulary_size + places
        return FeatureBatch(features=features, offsets=words + pairs)

    @cached_property
    def _index(self) -> KeyIndex:
        return KeyIndex(keys=self.pairs)


def _pairs(tokens: TokenBatch) -> tuple[Int64Array, Int64Array, BoolArray]:
    """Find the pairs of known neighbours, the rows of the pairs, and which tokens are known."""
    ids = tokens.token_ids.astype(np.int64)
    rows = np.repeat(np.arange(len(tokens)), tokens.lengths)
    known = ids > OOV_ID
    together = known[:-1] & known[1:] & (rows[:-1] == rows[1:])
    keys = (ids[:-1][together] << _ID_BITS) | ids[1:][together]
    return keys, rows[:-1][together], known
