"""Alters texts a little, as token ids, so that every epoch sees other ones.

Swapping, deleting and replacing words are the operations of Wei and Zou 2019, "EDA: Easy Data
Augmentation Techniques for Boosting Performance on Text Classification Tasks". A text is altered
in only one way at a time, so that its label stays true.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
import pyarrow as pa

from textbatch.text.vocabulary import OOV_ID, PAD_ID, Vocabulary
from textbatch.training.augment.synonyms import Spans, Synonyms
from textbatch.training.augment.templates import misspell
from textbatch.types import BoolArray, Int32Array, Int64Array, TokenBatch

#: A shorter word is rarely readable with a typo.
_SHORTEST_TYPO = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How much is altered, as shares from 0 to 1.

    Attributes:
        rows: Share of the rows that are altered in an epoch.
        words: Share of the words of such a row that are changed. At least one word is.
        phrases: Share of its phrases with a synonym that are replaced.
    """

    rows: float = 0.5
    words: float = 0.1
    phrases: float = 0.5


class Alterations:
    """Ways to alter the texts of one training set.

    Args:
        tokens: The texts. None is empty.
        methods: Some of `swap` (neighbouring words change places), `delete`, `typos`, `neighbours`
            (a word is replaced by one with a similar vector) and `synonyms`.
        vocabulary: The vocabulary of the token ids.
        neighbours: For each token the ids of similar ones; `PAD_ID` if there are fewer. Shape
            `(vocabulary_size, neighbours)`.
        synonyms: Phrases that may replace each other.
        shares: How much is altered.
    """

    def __init__(
        self,
        tokens: TokenBatch,
        methods: tuple[str, ...],
        *,
        vocabulary: Vocabulary,
        neighbours: Int32Array | None = None,
        synonyms: Synonyms | None = None,
        shares: Shares | None = None,
    ) -> None:
        self._tokens = tokens
        self._methods = methods
        self._vocabulary = vocabulary
        self._neighbours = neighbours
        self._synonyms = synonyms
        self._shares = shares or Shares()
        self._row_of_token = np.repeat(np.arange(len(tokens)), tokens.lengths)
        self._spans = synonyms.find(tokens) if synonyms else None

    def alter(self, random: np.random.Generator) -> TokenBatch:
        """Alter some of the texts. Number and order stay the same, and no text becomes empty."""
        if not self._methods:
            return self._tokens
        rows = len(self._tokens)
        altered = random.random(rows) < self._shares.rows
        way = np.where(altered, random.integers(len(self._methods), size=rows), -1)
        hit = self._hit_words(random)
        token_ids = self._tokens.token_ids.copy()
        kept = np.ones(len(token_ids), bool)
        spans = None
        for number, method in enumerate(self._methods):
            mine = (way == number)[self._row_of_token]
            if method == "swap":
                self._swap(token_ids, mine & hit)
            elif method == "delete":
                kept = self._without(mine & hit)
            elif method == "typos":
                self._misspell(token_ids, mine & hit, random)
            elif method == "neighbours":
                self._replace(token_ids, mine & hit, random)
            elif self._spans:
                drawn = random.random(len(self._spans.starts)) < self._shares.phrases
                spans = self._spans.take(np.flatnonzero(mine[self._spans.starts] & drawn))
        return self._rebuilt(token_ids, kept, spans, random)

    def _hit_words(self, random: np.random.Generator) -> BoolArray:
        hit: BoolArray = random.random(len(self._row_of_token)) < self._shares.words
        one = self._tokens.offsets[:-1] + (
            random.random(len(self._tokens)) * self._tokens.lengths
        ).astype(np.int64)
        hit[one] = True
        return hit

    def _swap(self, token_ids: Int32Array, hit: BoolArray) -> None:
        first = np.flatnonzero(hit[:-1] & (self._row_of_token[:-1] == self._row_of_token[1:]))
        # A word moves only once. If neighbouring words are chosen, only the first one counts.
        first = first[np.diff(first, prepend=-2) > 1]
        token_ids[first], token_ids[first + 1] = token_ids[first + 1], token_ids[first]

    def _without(self, hit: BoolArray) -> BoolArray:
        left = np.bincount(self._row_of_token[~hit], minlength=len(self._tokens))
        kept: BoolArray = ~hit | (left == 0)[self._row_of_token]
        return kept

    def _misspell(self, token_ids: Int32Array, hit: BoolArray, random: np.random.Generator) -> None:
        typist = Random(int(random.integers(2**62)))
        words = self._vocabulary.tokens
        at = [
            place
            for place in np.flatnonzero(hit & (token_ids > OOV_ID))
            if len(words[token_ids[place]]) >= _SHORTEST_TYPO
        ]
        typed = [misspell(typist, words[token_ids[place]]) for place in at]
        token_ids[at] = self._vocabulary.lookup(pa.array(typed, pa.large_string()))

    def _replace(self, token_ids: Int32Array, hit: BoolArray, random: np.random.Generator) -> None:
        if self._neighbours is None:
            return
        at = np.flatnonzero(hit)
        drawn = random.integers(self._neighbours.shape[1], size=len(at))
        found = self._neighbours[token_ids[at], drawn]
        token_ids[at] = np.where(found == PAD_ID, token_ids[at], found)

    def _rebuilt(
        self,
        token_ids: Int32Array,
        kept: BoolArray,
        spans: Spans | None,
        random: np.random.Generator,
    ) -> TokenBatch:
        counts = kept.astype(np.int64)
        if spans is None or self._synonyms is None or not len(spans.starts):
            return self._batch(token_ids[kept], counts)
        phrases = self._synonyms.draw(spans.phrases, random)
        sizes = np.array([len(phrase) for phrase in phrases])
        for step in range(int(spans.lengths.max())):
            counts[spans.starts[spans.lengths > step] + step] = 0
        counts[spans.starts] = sizes
        token_ids = np.repeat(token_ids, counts)
        begins = (np.cumsum(counts) - counts)[spans.starts]
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        token_ids[np.repeat(begins, sizes) + within] = np.concatenate(phrases)
        return self._batch(token_ids, counts)

    def _batch(self, token_ids: Int32Array, counts: Int64Array) -> TokenBatch:
        lengths = np.bincount(self._row_of_token, weights=counts, minlength=len(self._tokens))
        return TokenBatch(
            token_ids=token_ids,
            offsets=np.concatenate([[0], np.cumsum(lengths.astype(np.int64))]),
            truncated=self._tokens.truncated,
        )
