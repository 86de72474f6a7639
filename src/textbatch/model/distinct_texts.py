"""The distinct texts of a chunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from textbatch.types import BoolArray, Int64Array


@dataclass(frozen=True, slots=True, kw_only=True)
class DistinctTexts:
    """The texts of a chunk, each once.

    Attributes:
        texts: The distinct texts. Shape `(distinct,)`.
        numbers: For each row the number of its text. The two numbers after those of the texts mean
            null and undecodable. Shape `(rows,)`.
    """

    texts: pa.Array
    numbers: Int64Array

    @classmethod
    def of(cls, texts: pa.Array, undecodable: BoolArray | None = None) -> DistinctTexts:
        """Find them.

        Args:
            texts: Valid strings or null. Shape `(rows,)`.
            undecodable: True where a null means that the text is not UTF-8. Shape `(rows,)`.
        """
        encoded = texts.dictionary_encode()
        null, bad = len(encoded.dictionary), len(encoded.dictionary) + 1
        codes = encoded.indices.cast(pa.int64()).fill_null(null)
        numbers = codes.to_numpy(zero_copy_only=False)
        if undecodable is not None:
            numbers = np.where(undecodable, bad, numbers)
        return cls(texts=encoded.dictionary, numbers=numbers)

    @property
    def rows(self) -> Int64Array:
        """How many rows have each text. Shape `(distinct,)`."""
        return np.bincount(self.numbers, minlength=len(self.texts))[: len(self.texts)]
