"""Groups of phrases that may replace each other, given by the user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from textbatch.text.normalization import split_tokens
from textbatch.text.vocabulary import OOV_ID, Vocabulary
from textbatch.types import Int32Array, Int64Array, TokenBatch

Phrase = tuple[str, ...]


def parse_groups(text: str) -> list[list[Phrase]]:
    """Read groups of synonyms: one on each line, phrases separated by commas, `#` for comments.

    Returns:
        Phrases as the tokenizer splits them. Lines with fewer than two different phrases are
        left out.
    """
    groups: list[list[Phrase]] = []
    for line in text.splitlines():
        tokens, offsets = split_tokens(pa.array(line.partition("#")[0].split(",")))
        words = tokens.to_pylist()
        phrases = {tuple(words[begin:end]) for begin, end in pairwise(offsets)}
        if len(phrases - {()}) > 1:
            groups.append(sorted(phrases - {()}))
    return groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Where the texts have phrases with a synonym.

    Attributes:
        starts: Position of the first token of a phrase, among all tokens. Shape `(spans,)`.
        lengths: Number of tokens in the phrase. Shape `(spans,)`.
        phrases: Number of the phrase in `Synonyms`. Shape `(spans,)`.
    """

    starts: Int64Array
    lengths: Int64Array
    phrases: Int64Array

    def take(self, which: Int64Array) -> Spans:
        """Select some of the spans by their positions."""
        return Spans(
            starts=self.starts[which], lengths=self.lengths[which], phrases=self.phrases[which]
        )


class Synonyms:
    """Phrases of known words, and what may replace each.

    Args:
        groups: From `parse_groups`. Phrases with a word that the vocabulary lacks are left out.
        vocabulary: The vocabulary of the token ids.
    """

    def __init__(self, groups: Sequence[Sequence[Phrase]], vocabulary: Vocabulary) -> None:
        others: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
        for group in _known(groups, vocabulary):
            for phrase in group:
                others.setdefault(phrase, set()).update(group)
        self._phrases = [phrase for phrase, found in sorted(others.items()) if len(found) > 1]
        self._others = [
            [np.array(other, np.int32) for other in sorted(others[phrase] - {phrase})]
            for phrase in self._phrases
        ]
        self._by_first: dict[int, list[int]] = {}
        # Longest first: "money back" before "money".
        for number in sorted(range(len(self)), key=lambda number: -len(self._phrases[number])):
            self._by_first.setdefault(self._phrases[number][0], []).append(number)

    def __len__(self) -> int:
        return len(self._phrases)

    def find(self, tokens: TokenBatch) -> Spans:
        """Find the phrases in texts: from the left, longer ones first, without overlaps."""
        ends = np.repeat(tokens.offsets[1:], tokens.lengths)
        ids = tokens.token_ids.tolist()
        found: list[tuple[int, int, int]] = []
        free_from = 0
        for start in np.flatnonzero(np.isin(tokens.token_ids, list(self._by_first))).tolist():
            if start < free_from:
                continue
            for number in self._by_first[ids[start]]:
                stop = start + len(self._phrases[number])
                if stop <= ends[start] and tuple(ids[start:stop]) == self._phrases[number]:
                    found.append((start, stop - start, number))
                    free_from = stop
                    break
        starts, lengths, phrases = np.array(found, np.int64).reshape(-1, 3).T
        return Spans(starts=starts, lengths=lengths, phrases=phrases)

    def others(self, phrase: int) -> list[Int32Array]:
        """The phrases that may replace a phrase, in a fixed order. Shapes `(tokens,)`."""
        return self._others[phrase]

    def draw(self, phrases: Int64Array, random: np.random.Generator) -> list[Int32Array]:
        """Draw for each phrase one that may replace it. All are equally likely.

        Args:
            phrases: Numbers of phrases. Shape `(phrases,)`.
            random: Draws.

        Returns:
            Token ids of each. Shapes `(tokens,)`.
        """
        shares = random.random(len(phrases))
        return [
            self._others[phrase][int(share * len(self._others[phrase]))]
            for phrase, share in zip(phrases.tolist(), shares.tolist(), strict=True)
        ]


def new_words(groups: Sequence[Sequence[Phrase]], vocabulary: Vocabulary) -> list[str]:
    """Find words that the vocabulary lacks, but that may replace known words.

    Args:
        groups: From `parse_groups`.
        vocabulary: The known words.

    Returns:
        The words, sorted.
    """
    known = set(vocabulary.words())
    used = (group for group in groups if any(known.issuperset(phrase) for phrase in group))
    return sorted({word for group in used for phrase in group for word in phrase} - known)


def example_texts(
    groups: Sequence[Sequence[Phrase]],
    vocabulary: Vocabulary,
    tokens: TokenBatch,
    *,
    per_phrase: int,
) -> list[str]:
    """Make texts with new words in the place of their synonyms, to learn the new words from.

    Args:
        groups: From `parse_groups`.
        vocabulary: A vocabulary that has the new words.
        tokens: Texts with its ids. They hold none of the new words.
        per_phrase: Limit on the texts for each phrase.
    """
    synonyms = Synonyms(groups, vocabulary)
    spans = synonyms.find(tokens)
    seen = set(tokens.token_ids.tolist())
    rows = np.searchsorted(tokens.offsets, spans.starts, side="right") - 1
    shown: dict[tuple[int, ...], int] = {}
    texts: list[str] = []
    for start, length, phrase, row in zip(
        spans.starts, spans.lengths, spans.phrases.tolist(), rows, strict=True
    ):
        for other in synonyms.others(phrase):
            key = tuple(other.tolist())
            if seen.issuperset(key) or shown.get(key, 0) >= per_phrase:
                continue
            shown[key] = shown.get(key, 0) + 1
            begin, end = tokens.offsets[row], tokens.offsets[row + 1]
            before = tokens.token_ids[begin:start]
            after = tokens.token_ids[start + length : end]
            told = np.concatenate([before, other, after])
            # Unknown words are left out, because these texts would make them look frequent.
            texts.append(" ".join(vocabulary.tokens[token] for token in told if token != OOV_ID))
    return texts


def _known(
    groups: Sequence[Sequence[Phrase]], vocabulary: Vocabulary
) -> Iterator[list[tuple[int, ...]]]:
    sizes = [len(phrase) for group in groups for phrase in group]
    words = [word for group in groups for phrase in group for word in phrase]
    ids = vocabulary.lookup(pa.array(words, pa.large_string()))
    pieces = iter(np.split(ids, np.cumsum(sizes)[:-1]) if sizes else ())
    for group in groups:
        phrases = [tuple(next(pieces).tolist()) for _ in group]
        yield [phrase for phrase in phrases if OOV_ID not in phrase]
