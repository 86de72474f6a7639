"""The column `explanation`: the tokens that carried the decision, with their weights."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import OOV_ID
from textbatch.types import BoolArray, Float32Array

#: Its type.
EXPLANATION = pa.list_(
    pa.struct([
        pa.field("token", pa.string(), nullable=False),
        pa.field("weight", pa.float32(), nullable=False),
    ])
)  # fmt: skip


def explanations(
    tokenizer: Tokenizer, texts: pa.Array, evidence: BoolArray, told: Float32Array
) -> pa.Array:
    """Make the column.

    Args:
        tokenizer: Made the tokens that the model read.
        texts: Strings or null. Shape `(rows,)`.
        evidence: Where the model was asked; other rows are null. Shape `(rows,)`.
        told: Of each token its place in the row and its weight; NaN for none. Shape
            `(rows, 2 * most)`.

    Returns:
        Shape `(rows,)`.
    """
    pairs = told.reshape(len(told), told.shape[1] // 2, 2)
    # What has no evidence may have no text.
    there = np.isfinite(pairs[:, :, 0]) & evidence[:, None]
    tokens = tokenizer.encode(pc.fill_null(texts, ""))
    rows, _ = np.nonzero(there)
    places = tokens.offsets[rows] + pairs[there][:, 0].astype(np.int64)
    token_ids = tokens.token_ids[places]
    outside = token_ids == OOV_ID
    words = tokenizer.vocabulary.array.take(pa.array(token_ids)).cast(pa.string())
    if outside.any() and tokens.unknown is not None:
        before = np.cumsum(tokens.token_ids == OOV_ID) - 1
        unknown = tokens.unknown.take(pa.array(before[places[outside]])).cast(pa.string())
        words = pc.replace_with_mask(words, pa.array(outside), unknown)
    weights = pa.array(pairs[there][:, 1], pa.float32())
    entries = pa.StructArray.from_arrays([words, weights], fields=[*EXPLANATION.value_type])
    offsets = np.zeros(len(told) + 1, np.int32)
    np.cumsum(there.sum(axis=1), out=offsets[1:])
    return pa.ListArray.from_arrays(
        pa.array(offsets), entries, type=EXPLANATION, mask=pa.array(~evidence)
    )
