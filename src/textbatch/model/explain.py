"""Which tokens carried the decision: take one after another out of the text, and ask again.

Each step takes out the token without which the log-odds of the label, `log(p / (1 - p))` of its
calibrated probability, fall most; wherever it stands in the text. Its weight is by how much they
fall. So the weights add up to the fall without all of these tokens (greedy erasure: Li, Monroe and
Jurafsky 2016). The whole classifier answers again: for the network this is occlusion, for the
linear model it is exact, with the pairs and the character n-grams that go with the token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from textbatch.model.pending import PendingPredictions
from textbatch.model.statuses import known_tokens
from textbatch.text.vocabulary import OOV_ID
from textbatch.types import BoolArray, Float32Array, Int64Array, Status, TokenBatch

if TYPE_CHECKING:
    from textbatch.model.predictor import Predictor

#: Of a longer row only so many distinct tokens are tried, the first ones.
MOST_TRIED = 512
#: After the first step, twice as many tokens as are wanted stay in the race, and so many more.
_MORE_TRIED = 8
#: Tokens of shortened texts that are asked about at once.
_TOKENS_AT_ONCE = 1 << 19

#: Answers tokens: logits that are divided by the temperature, NaN without a known token. Shape
#: `(rows, labels)`.
Answering = Callable[[TokenBatch], Float32Array]


def explained(
    tokens: TokenBatch, rows: Int64Array, ask: Answering, logits: Float32Array, *, most: int
) -> Float32Array:
    """Find the tokens of each row without which the likeliest label would lose most.

    Args:
        tokens: Tokens of the texts.
        rows: Those that have evidence. Shape `(rows,)`.
        ask: What answers other tokens, each row by itself.
        logits: Of all texts; the largest is that of the label. Shape `(texts, labels)`.
        most: How many tokens of each row.

    Returns:
        For each token, in the order in which they are taken out, its first place in the row and its
        weight; NaN where there are fewer tokens, or no evidence. Shape `(texts, 2 * most)`.
    """
    found = np.full((len(logits), most, 2), np.nan, np.float32)
    keys = _keys(tokens)
    for part in _parts(tokens, rows):
        rest = _Rest.of(tokens, keys, part)
        labels = logits[part].argmax(axis=1)
        # The text as it is, too: with early exit the logits may be those of the linear model alone.
        now = _log_odds(ask(_taken(tokens, part)), labels)
        for step in range(most):
            owners = rest.owners
            if not len(owners):
                break
            falls = now[owners] - _log_odds(ask(rest.without_each(tokens)), labels[owners])
            order = np.lexsort([rest.first, -falls, owners])
            rank = np.arange(len(order)) - np.searchsorted(owners[order], owners[order])
            best = order[rank == 0]
            told = np.stack([rest.places[best], falls[best]], axis=1)
            found[part[owners[best]], step] = told
            now[owners[best]] -= falls[best]
            stay = np.sort(order[(rank > 0) & (rank < 2 * most + _MORE_TRIED)])
            rest = rest.taken_out(best, stay)
    return found.reshape(len(logits), 2 * most)


def answered(predictor: Predictor, tokens: TokenBatch) -> Float32Array:
    """Answer tokens by the whole classifier, without early exit; see `Answering`.

    Args:
        predictor: Of the classifier.
        tokens: Tokens of texts, with the unknown ones.

    Returns:
        Shape `(texts, labels)`.
    """
    known = known_tokens(tokens) > 0
    status = np.where(known, Status.OK, Status.NO_KNOWN_TOKENS)
    asked = PendingPredictions(
        status=np.append(status, [Status.NULL_TEXT, Status.BAD_TEXT]).astype(np.int8),
        distinct=np.arange(len(tokens)),
        shares=predictor.shares(tokens, np.flatnonzero(known), None),
        num_labels=len(predictor.classifier.labels),
        calibrated=predictor.classifier.probabilities,
        on_early=lambda _: None,
    )
    return asked.logits()[0] / np.float32(predictor.classifier.temperature)


def _log_odds(logits: Float32Array, labels: Int64Array) -> np.ndarray:
    """`log(p / (1 - p))` of a label in each row; without evidence all labels are as likely."""
    logits = np.nan_to_num(logits.astype(np.float64), nan=0.0)
    own = np.take_along_axis(logits, labels[:, None], axis=1)
    others = logits.copy()
    np.put_along_axis(others, labels[:, None], -np.inf, axis=1)
    if others.shape[1] < 2:
        return np.zeros(len(logits))
    highest = others.max(axis=1, keepdims=True)
    rest = highest + np.log(np.exp(others - highest).sum(axis=1, keepdims=True))
    return np.asarray((own - rest)[:, 0])


def _keys(tokens: TokenBatch) -> Int64Array:
    """A number for each token, the same where the token is: unknown ones differ by their words."""
    keys = tokens.token_ids.astype(np.int64)
    unknown = keys == OOV_ID
    if tokens.unknown is not None and len(tokens.unknown) == int(unknown.sum()):
        numbers = tokens.unknown.dictionary_encode().indices
        keys[unknown] = int(keys.max(initial=0)) + 1 + np.asarray(numbers, np.int64)
    return keys


def _parts(tokens: TokenBatch, rows: Int64Array) -> Iterator[Int64Array]:
    """Cut rows into parts whose shortened texts fit into memory together."""
    lengths = tokens.lengths[rows]
    sizes = lengths * np.minimum(lengths, MOST_TRIED)
    number = np.cumsum(sizes) // _TOKENS_AT_ONCE
    yield from (part for part in np.split(rows, np.flatnonzero(np.diff(number)) + 1) if len(part))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rest:
    """What is left of some rows, and the tokens that may be taken out next.

    Attributes:
        source: Where the tokens of the rows stand among all tokens. Shape `(tokens,)`.
        keys: Their numbers; -1 where they are taken out. Shape `(tokens,)`.
        lengths: How many tokens each row had. Shape `(rows,)`.
        owners: The row of each token that may be taken out, ascending. Shape `(tried,)`.
        first: Where it stands first in `source`. Shape `(tried,)`.
    """

    source: Int64Array
    keys: Int64Array
    lengths: Int64Array
    owners: Int64Array
    first: Int64Array

    @classmethod
    def of(cls, tokens: TokenBatch, keys: Int64Array, rows: Int64Array) -> _Rest:
        """Rows as they are.

        Args:
            tokens: The tokens of all rows.
            keys: Their numbers.
            rows: The rows that are wanted.
        """
        lengths = tokens.lengths[rows]
        source = _places(tokens.offsets[rows], lengths)
        owner = np.repeat(np.arange(len(rows)), lengths)
        order = np.lexsort([keys[source], owner])
        fresh = np.ones(len(order), bool)
        sorted_owner, sorted_key = owner[order], keys[source][order]
        fresh[1:] = (sorted_owner[1:] != sorted_owner[:-1]) | (sorted_key[1:] != sorted_key[:-1])
        # `lexsort` is stable: the first one of equal tokens is the first one in the row.
        first = np.sort(order[fresh])
        number = np.arange(len(first)) - np.searchsorted(owner[first], owner[first])
        first = first[number < MOST_TRIED]
        return cls(
            source=source, keys=keys[source], lengths=lengths, owners=owner[first], first=first
        )

    @property
    def places(self) -> Int64Array:
        """Where each token that may be taken out stands in its row. Shape `(tried,)`."""
        begins: Int64Array = np.cumsum(self.lengths) - self.lengths
        return self.first - begins[self.owners]

    def without_each(self, tokens: TokenBatch) -> TokenBatch:
        """The rows without each of these tokens. Shape `(tried,)`.

        Args:
            tokens: The tokens of all rows.
        """
        begins = (np.cumsum(self.lengths) - self.lengths)[self.owners]
        inside = _places(begins, self.lengths[self.owners])
        of = np.repeat(np.arange(len(self.owners)), self.lengths[self.owners])
        here = self.keys[inside]
        stays = (here != self.keys[self.first][of]) & (here >= 0)
        counts = np.bincount(of[stays], minlength=len(self.owners))
        return _picked(tokens, self.source[inside[stays]], counts)

    def taken_out(self, out: Int64Array, stay: Int64Array) -> _Rest:
        """What is left without some of the tokens.

        Args:
            out: These, as numbers of those that may be taken out; at most one of each row.
            stay: Those that may be taken out next.
        """
        gone = np.full(len(self.lengths), -1)
        gone[self.owners[out]] = self.keys[self.first[out]]
        of_row = np.repeat(gone, self.lengths)
        return _Rest(
            source=self.source,
            keys=np.where(self.keys == of_row, -1, self.keys),
            lengths=self.lengths,
            owners=self.owners[stay],
            first=self.first[stay],
        )


def _taken(tokens: TokenBatch, rows: Int64Array) -> TokenBatch:
    lengths = tokens.lengths[rows]
    return _picked(tokens, _places(tokens.offsets[rows], lengths), lengths)


def _picked(tokens: TokenBatch, places: Int64Array, lengths: Int64Array) -> TokenBatch:
    """Rows that are made of tokens of others.

    Args:
        tokens: The others.
        places: Where the tokens stand among them, row after row. Shape `(tokens,)`.
        lengths: How many each row has. Shape `(rows,)`.
    """
    token_ids = tokens.token_ids[places]
    unknown = None
    outside: BoolArray = tokens.token_ids == OOV_ID
    if tokens.unknown is not None and len(tokens.unknown) == int(outside.sum()):
        before = np.cumsum(outside) - 1
        unknown = tokens.unknown.take(pa.array(before[places[token_ids == OOV_ID]]))
    return TokenBatch(
        token_ids=token_ids,
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        truncated=np.zeros(len(lengths), bool),
        unknown=unknown,
    )


def _places(starts: Int64Array, lengths: Int64Array) -> Int64Array:
    """All places of runs that begin at `starts`, one run after the other."""
    ends = np.cumsum(lengths)
    places: Int64Array = np.arange(ends[-1] if len(ends) else 0)
    places += np.repeat(starts - (ends - lengths), lengths)
    return places
