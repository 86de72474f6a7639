"""The values that travel through textbatch: texts, token ids, predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Int32Array = NDArray[np.int32]
Int64Array = NDArray[np.int64]
UInt64Array = NDArray[np.uint64]
Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


#: Bins of every histogram of confidences, equal in width, from 0 to 1.
CONFIDENCE_BINS = 20


class Status(IntEnum):
    """What happened to a row. The output shows the name in lower case."""

    OK = 0
    TRUNCATED = 1  # scored on the text's first tokens
    LOW_CONFIDENCE = 2  # scored, the label withheld
    NO_KNOWN_TOKENS = 3  # from here to BAD_TEXT there is no evidence: the network is not asked
    EMPTY_TEXT = 4
    NULL_TEXT = 5
    BAD_TEXT = 6  # not valid UTF-8
    # Codes are kept in journals and caches, so what came later has a later number.
    WINDOWED = 7  # a long text, all of it scored: the mean over windows
    NOVEL = 8  # scored, the label withheld: the text is unlike those of all labels

    @classmethod
    def names(cls) -> list[str]:
        """The names, in the order of their codes."""
        return [status.name.lower() for status in cls]


def has_evidence(status: NDArray[np.int8]) -> BoolArray:
    """Where the network was asked, because the text has a known token.

    Args:
        status: Codes of `Status`. Shape `(rows,)`.

    Returns:
        Shape `(rows,)`.
    """
    return np.asarray((status < Status.NO_KNOWN_TOKENS) | (status > Status.BAD_TEXT))


def has_label(status: NDArray[np.int8]) -> BoolArray:
    """Where the output has a label: there is evidence, and it is not withheld.

    Args:
        status: Codes of `Status`. Shape `(rows,)`.

    Returns:
        Shape `(rows,)`.
    """
    return np.isin(status, LABELLED)


#: The statuses of rows with a label.
LABELLED = (Status.OK, Status.TRUNCATED, Status.WINDOWED)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBatch:
    """A chunk of rows as read: the table that passes through, and its text column.

    Attributes:
        table: The columns that are passed through, unchanged. Shape `(rows, columns)`.
        texts: The text column as strings; null where a row has no text. Shape `(rows,)`.
        undecodable: True where the text is not valid UTF-8. Shape `(rows,)`.
        source: The text column as it was read, if it is needed later. Shape `(rows,)`.
    """

    table: pa.RecordBatch
    texts: pa.Array
    undecodable: BoolArray
    source: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBatch:
    """Token ids of many texts, row after row, without padding.

    Attributes:
        token_ids: All ids, row after row. Shape `(tokens,)`.
        offsets: Row `i` is `token_ids[offsets[i]:offsets[i + 1]]`. Shape `(rows + 1,)`.
        truncated: True where the text had more tokens than the limit. Shape `(rows,)`.
        unknown: The tokens that the vocabulary lacks, in their order; None if they are not needed.
            Shape `(unknown tokens,)`.
    """

    token_ids: Int32Array
    offsets: Int64Array
    truncated: BoolArray
    unknown: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Int64Array:
        """Number of tokens in each row. Shape `(rows,)`."""
        return np.diff(self.offsets)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureBatch:
    """Features of many rows, row after row. If a row has a feature twice, it is there twice.

    Attributes:
        features: All features, row after row. Shape `(entries,)`.
        offsets: Row `i` is `features[offsets[i]:offsets[i + 1]]`. Shape `(rows + 1,)`.
    """

    features: Int32Array
    offsets: Int64Array

    def __len__(self) -> int:
        return len(self.offsets) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """The answers for the rows of a chunk.

    Attributes:
        probabilities: Calibrated probabilities, in the order of the bundle's labels; NaN without
            evidence. Shape `(rows, labels)`.
        status: Codes of `Status`. Shape `(rows,)`.
        extras: What else is told of the rows, as numbers; None where nothing was asked for. Shape
            `(rows, numbers)`.
        others: The answers of further models to the same rows, in the order of the models. They
            travel with those of the first model, and have none themselves.
    """

    probabilities: Float32Array
    status: NDArray[np.int8]
    extras: Float32Array | None = None
    others: tuple[Predictions, ...] = ()

    def __len__(self) -> int:
        return len(self.status)

    def __getitem__(self, rows: slice | BoolArray) -> Predictions:
        return Predictions(
            probabilities=self.probabilities[rows],
            status=self.status[rows],
            extras=None if self.extras is None else self.extras[rows],
            others=tuple(one[rows] for one in self.others),
        )

    @property
    def each(self) -> tuple[Predictions, ...]:
        """The answers of each model alone, those of the first one first."""
        return (replace(self, others=()) if self.others else self, *self.others)

    @classmethod
    def together(cls, each: Sequence[Predictions]) -> Predictions:
        """The answers of one or several models to the same rows: the opposite of `each`."""
        first, *others = each
        return replace(first, others=tuple(others)) if others else first

    @classmethod
    def concatenate(cls, parts: Sequence[Predictions]) -> Predictions:
        """Join predictions, one after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            probabilities=np.concatenate([part.probabilities for part in parts]),
            status=np.concatenate([part.status for part in parts]),
            extras=_joined([part.extras for part in parts]),
            others=tuple(map(cls.concatenate, zip(*(part.others for part in parts), strict=True))),
        )


def _joined(parts: Sequence[Float32Array | None]) -> Float32Array | None:
    there = [part for part in parts if part is not None]
    return np.concatenate(there) if there else None


class ReadShare(float):
    """The share of files that is read, from 0 to 1, and their sizes.

    Attributes:
        done: Bytes that are read.
        total: Bytes of all files.
    """

    done: int
    total: int

    def __new__(cls, done: float, total: int) -> ReadShare:
        """Make the share.

        Args:
            done: Bytes that are read.
            total: Bytes of all files.
        """
        made = super().__new__(cls, min(1.0, done / max(1, total)))
        made.done, made.total = min(round(done), total), total
        return made

    def __reduce__(self) -> tuple[type[ReadShare], tuple[int, int]]:
        """What a copy is made from: a float has one value alone."""
        return ReadShare, (self.done, self.total)
