"""Words and pairs of neighbouring words, counted: what a linear model looks at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textbatch.batch import BoolArray, Counts, Int32Array, Int64Array, TokenBatch
from textbatch.text.vocabulary import OOV_ID

#: A pair of token ids as one number: the first one's bits stand above the second one's.
_ID_BITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Ngrams:
    """Which features there are: each known token, then each pair that training saw often enough.

    Attributes:
        vocabulary_size: Tokens of the vocabulary; a token's feature is its id.
        pairs: The pairs as numbers, ascending; a pair's feature is the vocabulary's size plus its
            place. Shape `(pairs,)`.
    """

    vocabulary_size: int
    pairs: Int64Array

    @classmethod
    def build(
        cls, tokens: TokenBatch, *, vocabulary_size: int, min_rows: int, max_pairs: int
    ) -> Ngrams:
        """Keep the pairs that occur in the most rows.

        Args:
            tokens: Of the training texts.
            vocabulary_size: Of the vocabulary that made them.
            min_rows: Pairs in fewer rows are left out.
            max_pairs: Of the pairs left, so many are kept.
        """
        keys, rows, _ = _pairs(tokens)
        order = np.lexsort([rows, keys])
        keys, rows = keys[order], rows[order]
        fresh = np.ones(len(keys), bool)
        fresh[1:] = (keys[1:] != keys[:-1]) | (rows[1:] != rows[:-1])
        found, counts = np.unique(keys[fresh], return_counts=True)
        often = np.flatnonzero(counts >= min_rows)
        # Stable: of equally frequent pairs, those with the more frequent words.
        kept = often[np.argsort(-counts[often], kind="stable")[:max_pairs]]
        return cls(vocabulary_size=vocabulary_size, pairs=np.sort(found[kept]))

    @classmethod
    def of_ids(cls, vocabulary_size: int, ids: Int32Array) -> Ngrams:
        """The features with these pairs of token ids, shape `(pairs, 2)`."""
        first, second = ids.astype(np.int64).T
        return cls(vocabulary_size=vocabulary_size, pairs=(first << _ID_BITS) | second)

    def pairs_of_ids(self) -> Int32Array:
        """The pairs as token ids. Shape `(pairs, 2)`."""
        first, second = np.divmod(self.pairs, 1 << _ID_BITS)
        return np.stack([first, second], axis=1).astype(np.int32)

    def __len__(self) -> int:
        return self.vocabulary_size + len(self.pairs)

    def count(self, tokens: TokenBatch) -> Counts:
        """Count the features of each row; unknown tokens are none, and end a pair."""
        keys, rows_of_pairs, known = _pairs(tokens)
        rows_of_tokens = np.repeat(np.arange(len(tokens)), tokens.lengths)
        width = len(self)
        words = rows_of_tokens[known] * width + tokens.token_ids[known]
        entries = [words]
        if len(self.pairs):
            place = np.minimum(np.searchsorted(self.pairs, keys), len(self.pairs) - 1)
            hit = self.pairs[place] == keys
            entries.append(rows_of_pairs[hit] * width + self.vocabulary_size + place[hit])
        cells = np.sort(np.concatenate(entries))
        first = np.flatnonzero(np.diff(cells, prepend=-1))
        rows, features = np.divmod(cells[first], width)
        offsets = np.searchsorted(rows, np.arange(len(tokens) + 1))
        counts = np.diff(first, append=len(cells))
        return Counts(features=features, counts=counts, offsets=offsets)


def _pairs(tokens: TokenBatch) -> tuple[Int64Array, Int64Array, BoolArray]:
    """Pairs of known neighbours, their rows, and which tokens are known."""
    ids = tokens.token_ids.astype(np.int64)
    rows = np.repeat(np.arange(len(tokens)), tokens.lengths)
    known = ids > OOV_ID
    together = known[:-1] & known[1:] & (rows[:-1] == rows[1:])
    keys = (ids[:-1][together] << _ID_BITS) | ids[1:][together]
    return keys, rows[:-1][together], known
