"""The answers of a block of rows, as numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textbatch.types import Int32Array, Int64Array

#: The code of a missing value.
NONE = -1


class Codes:
    """Numbers texts from 0, in the order in which they first occur.

    Attributes:
        texts: The texts, by number.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Begin with known texts.

        Args:
            texts: Each once.
        """
        self.texts: list[str] = list(texts)
        self._of = {text: code for code, text in enumerate(self.texts)}

    def of(self, column: pa.Array) -> Int32Array:
        """The codes of a column; `NONE` for null. A new text gets the next code.

        Args:
            column: Strings, or a dictionary of strings. Shape `(rows,)`.

        Returns:
            Shape `(rows,)`.
        """
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        values = column.dictionary.to_pylist()
        codes = np.array([NONE, *map(self._code, values)], np.int32)
        indices = pc.fill_null(column.indices.cast(pa.int64()), NONE)
        found: Int32Array = codes[indices.to_numpy(zero_copy_only=False) + 1]
        return found

    def _code(self, text: str | None) -> int:
        if text is None:
            return NONE
        code = self._of.get(text)
        if code is None:
            code = self._of[text] = len(self.texts)
            self.texts.append(text)
        return code


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers of one side to a block of rows.

    Attributes:
        labels: Codes of the labels; `NONE` without one. Shape `(rows,)`.
        confidences: Confidences; NaN without one. Shape `(rows,)`.
        statuses: Codes of the statuses; `NONE` if it has none. Shape `(rows,)`.
    """

    labels: Int32Array
    confidences: NDArray[np.float64]
    statuses: Int32Array

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: slice | Int64Array) -> Answers:
        return Answers(
            labels=self.labels[rows],
            confidences=self.confidences[rows],
            statuses=self.statuses[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows of both sides that belong together.

    Attributes:
        old: The answers of the old side.
        new: Those of the new one.
        true: Codes of the true labels, in the codes of the labels; `NONE` without one. None where
            there is no truth. Shape `(rows,)`.
        old_rows: Numbers of the rows in the old output, from 1. Shape `(rows,)`.
        new_rows: Numbers of the rows in the new output, from 1. Shape `(rows,)`.
    """

    old: Answers
    new: Answers
    true: Int32Array | None
    old_rows: Int64Array
    new_rows: Int64Array
