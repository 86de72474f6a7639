"""The mean of the vectors of a row's words, as features to fit a linear classifier on.

A linear classifier of means is a mean too: of what each word's vector adds to the margins. So the
model keeps one line for each token and no vectors, and scoring costs what it costs without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from textbatch.model.linear.row_sums import offsets_of, row_sums
from textbatch.text.vocabulary import OOV_ID
from textbatch.types import Float32Array, TokenBatch

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: The mean length of a row's features; that of its TF-IDF is 1. More would overfit few rows.
VECTOR_LENGTH = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanVectors:
    """The mean vectors of the rows to fit to, moved to their centre and scaled.

    Attributes:
        values: Shape `(rows, dim)`.
        centre: The mean over the rows, before scaling. Shape `(dim,)`.
        scale: What the centred means were multiplied with.
    """

    values: Float32Array
    centre: Float32Array
    scale: float

    @classmethod
    def of(cls, tokens: TokenBatch, vectors: Float32Array) -> MeanVectors:
        """Compute the means. An unknown token counts as a vector of zeros.

        Args:
            tokens: Tokens of the rows.
            vectors: Vectors of the tokens. Shape `(vocabulary, dim)`.
        """
        rows = np.repeat(np.arange(len(tokens)), tokens.lengths)
        known = tokens.token_ids != OOV_ID
        sums = row_sums(vectors, tokens.token_ids[known], offsets_of(rows[known], len(tokens)))
        means = sums / np.maximum(1, tokens.lengths)[:, None]
        centre = means.mean(axis=0)
        centred = means - centre
        length = float(np.sqrt(np.square(centred).sum(axis=1).mean()))
        scale = VECTOR_LENGTH / length if length else 1.0
        return cls(
            values=np.asarray(centred * scale, np.float32),
            centre=np.asarray(centre, np.float32),
            scale=scale,
        )

    def beside(self, others: csr_matrix) -> csr_matrix:
        """Put the features of the rows after others. Shape `(rows, others + dim)`.

        Args:
            others: Features of the same rows. Shape `(rows, others)`.
        """
        from scipy.sparse import csr_matrix, hstack

        return hstack([others, csr_matrix(self.values)]).tocsr()

    def by_token(
        self, vectors: Float32Array, weights: Float32Array
    ) -> tuple[Float32Array, Float32Array]:
        """What each token adds to the margins of a row of one token, and what all rows have.

        Args:
            vectors: Vectors of the tokens. Shape `(vocabulary, dim)`.
            weights: Weights of the features. Shape `(dim, labels)`.

        Returns:
            Shapes `(vocabulary, labels)` and `(labels,)`.
        """
        scaled = np.asarray(weights, np.float64) * self.scale
        added = np.asarray(vectors @ scaled, np.float32)
        added[: OOV_ID + 1] = 0
        return added, np.asarray(-(self.centre @ scaled), np.float32)
