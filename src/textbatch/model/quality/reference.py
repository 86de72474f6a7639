"""What a model's answers to held-out rows looked like: what later runs are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Meta
from numpy.typing import NDArray

from textbatch.data.output.signs import CONFIDENCE_UNIT, LENGTH_EDGES, Signs, UnknownTokens
from textbatch.data.strict_json import Count
from textbatch.model.quality.thresholds import HeldOut
from textbatch.types import (
    CONFIDENCE_BINS,
    BoolArray,
    Float32Array,
    Float64Array,
    Int64Array,
    TokenBatch,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Held-out rows, which the model has not learnt from.

    Attributes:
        signs: The texts and the answers.
        right: Right answers, in the bins of `signs.confidences`.
        unknown: The tokens of the texts; None where that was not counted.
        probability_sums: For each label the sum of its probabilities, in `CONFIDENCE_UNIT`; empty
            where an older textbatch wrote it.
    """

    signs: Signs
    right: Annotated[list[Count], Meta(max_length=CONFIDENCE_BINS)]
    unknown: UnknownTokens | None = None
    probability_sums: dict[str, Count] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = self.signs.confidences
        if len(self.right) != len(counts) or any(map(_more, self.right, counts)):
            raise ValueError("more answers are right than there are")
        if self.probability_sums and self.probability_sums.keys() != self.signs.answers.keys():
            raise ValueError("the probabilities are of other labels than the answers")

    def __add__(self, other: Reference) -> Reference:
        some = [one.unknown for one in (self, other) if one.unknown is not None]
        return Reference(
            signs=self.signs + other.signs,
            right=[one + more for one, more in zip(self.right, other.right, strict=True)],
            unknown=sum(some, UnknownTokens()) if some else None,
            probability_sums=_added(self.probability_sums, other.probability_sums),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutTexts:
    """Texts of held-out rows, as numbers.

    Attributes:
        lengths: Their characters. Shape `(texts,)`.
        unknown: Their tokens, and those that the vocabulary lacks.
    """

    lengths: Int64Array
    unknown: UnknownTokens


def reference_of_rows(
    probabilities: Float32Array,
    label_ids: Int64Array,
    labels: Sequence[str],
    texts: HeldOutTexts | None = None,
) -> Reference:
    """Describe the answers to held-out rows.

    Args:
        probabilities: Calibrated probabilities of the rows with evidence. Shape `(rows, labels)`.
        label_ids: Their true labels. Shape `(rows,)`.
        labels: The labels of the model.
        texts: The texts; None if they are not to be compared.
    """
    best = probabilities.argmax(axis=1)
    found = _reference(best, probabilities.max(axis=1, initial=0), best == label_ids, labels, texts)
    sums = _in_units(probabilities).sum(axis=0).astype(np.int64).tolist()
    return replace(found, probability_sums=dict(zip(labels, sums, strict=True)))


def reference_of_held_out(held_out: HeldOut, labels: Sequence[str]) -> Reference | None:
    """What a bundle without a reference of its own tells of held-out answers.

    Args:
        held_out: The answers.
        labels: The labels of the model.

    Returns:
        None if there are none.
    """
    best = np.repeat(np.arange(len(labels)), [len(some) for some in held_out.confidences])
    if not len(best):
        return None
    confidence = np.concatenate([np.array(one, np.float32) for one in held_out.confidences])
    right = np.concatenate([np.array(one, np.bool_) for one in held_out.correct])
    return _reference(best, confidence, right, labels, None)


class AnswerSigns:
    """Counts answers, chunk by chunk."""

    def __init__(self, labels: Sequence[str]) -> None:
        """Nothing is counted yet.

        Args:
            labels: The labels of the model.
        """
        self._labels = tuple(labels)
        self._answers = np.zeros(len(labels), np.int64)
        self._confidences, self._sums = (np.zeros(CONFIDENCE_BINS, np.int64) for _ in range(2))

    def add(self, probabilities: Float32Array, confidence: Float32Array) -> None:
        """Count the answers to a chunk.

        Args:
            probabilities: Of rows with evidence. Shape `(answers, labels)`.
            confidence: The largest of each row. Shape `(answers,)`.
        """
        self.add_best(probabilities.argmax(axis=1), confidence)

    def add_best(self, best: Int64Array, confidence: Float32Array) -> None:
        """Count answers.

        Args:
            best: The best label of each row. Shape `(answers,)`.
            confidence: Its confidence. Shape `(answers,)`.
        """
        bins = bins_of(confidence)
        self._answers += np.bincount(best, minlength=len(self._labels))
        self._confidences += np.bincount(bins, minlength=CONFIDENCE_BINS)
        self._sums += _sums(bins, confidence)

    def signs(self, lengths: Int64Array) -> Signs:
        """What was counted.

        Args:
            lengths: The texts by their length; see `Signs.lengths`. Shape `(LENGTH_EDGES,)`.
        """
        return Signs(
            answers=dict(zip(self._labels, self._answers.tolist(), strict=True)),
            confidences=self._confidences.tolist(),
            confidence_sums=self._sums.tolist(),
            lengths=lengths.tolist(),
        )


def bins_of(confidence: Float32Array) -> Int64Array:
    """The bin of each confidence, from 0 to `CONFIDENCE_BINS` - 1. Shape `(rows,)`."""
    found = (confidence.astype(np.float64) * CONFIDENCE_BINS).astype(np.int64)
    return np.minimum(found, CONFIDENCE_BINS - 1)


def characters_of(texts: pa.Array, counted: BoolArray | None = None) -> Int64Array:
    """The number of characters of each text that is there and not empty. Shape `(counted,)`.

    Args:
        texts: The texts. Shape `(rows,)`.
        counted: Which of them are counted; None for all. Shape `(rows,)`.
    """
    found = pc.utf8_length(texts).fill_null(0).to_numpy(zero_copy_only=False)
    return np.asarray(found[found > 0 if counted is None else counted & (found > 0)], np.int64)


def lengths_counted(lengths: Int64Array) -> Int64Array:
    """Count texts by their length in characters. Shape `(LENGTH_EDGES,)`."""
    places = np.searchsorted(LENGTH_EDGES, lengths, side="right") - 1
    return np.bincount(np.maximum(places, 0), minlength=len(LENGTH_EDGES))


def unknown_tokens(
    lengths: Int64Array, known: Int64Array, rows: Int64Array | None = None
) -> UnknownTokens:
    """Sum up tokens and unknown tokens of texts.

    Args:
        lengths: Tokens of each text. Shape `(texts,)`.
        known: Tokens of each text that the vocabulary has. Shape `(texts,)`.
        rows: How often each text is there; None for once. Shape `(texts,)`.
    """
    times = np.ones(len(lengths), np.int64) if rows is None else rows
    unknown = lengths - known
    return UnknownTokens(
        texts=int(times.sum()),
        tokens=int(lengths @ times),
        unknown=int(unknown @ times),
        tokens_squared=int((lengths * lengths) @ times),
        products=int((lengths * unknown) @ times),
        unknown_squared=int((unknown * unknown) @ times),
    )


def unknown_in(tokens: TokenBatch, oov_id: int) -> UnknownTokens:
    """Sum up tokens and unknown tokens of texts.

    Args:
        tokens: The texts, cut to the limit on length.
        oov_id: The id of unknown tokens.
    """
    found = np.concatenate([[0], np.cumsum(tokens.token_ids != oov_id)])
    known = found[tokens.offsets[1:]] - found[tokens.offsets[:-1]]
    return unknown_tokens(tokens.lengths, known)


def _reference(
    best: Int64Array,
    confidence: Float32Array,
    right: BoolArray,
    labels: Sequence[str],
    texts: HeldOutTexts | None,
) -> Reference:
    found = np.bincount(bins_of(confidence)[right], minlength=CONFIDENCE_BINS)
    answers = AnswerSigns(labels)
    answers.add_best(best, confidence)
    none = np.zeros(0, np.int64)
    return Reference(
        signs=answers.signs(none if texts is None else lengths_counted(texts.lengths)),
        right=found.tolist(),
        unknown=None if texts is None else texts.unknown,
    )


def _sums(bins: Int64Array, confidence: Float32Array) -> NDArray[np.int64]:
    units = _in_units(confidence)
    return np.bincount(bins, weights=units, minlength=CONFIDENCE_BINS).astype(np.int64)


def _in_units(confidence: Float32Array) -> Float64Array:
    # Whole numbers of this size are exact in double precision.
    found: Float64Array = np.rint(confidence.astype(np.float64) / CONFIDENCE_UNIT)
    return found


def _added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    # Of what only one of both tells there is no sum.
    return {label: count + other[label] for label, count in one.items() if other}


def _more(one: int, other: int) -> bool:
    return one > other
