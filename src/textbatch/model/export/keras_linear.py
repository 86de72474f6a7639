"""The linear model of a bundle as layers and operations of Keras, from token ids alone.

As in `onnx_linear`. Its tables are embeddings that training does not change.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from textbatch.model.bundle.blend import Blend
from textbatch.text.vocabulary import OOV_ID, PAD_ID

#: Above every token id, and a whole number that float32 holds.
_ABOVE_IDS = float(1 << 23)


def linear_logits(blend: Blend, token_ids: Any, *, divided_by: float) -> Any:  # noqa: ANN401
    """What the linear model adds to the logits.

    Args:
        blend: The linear model and its weight.
        token_ids: Token ids, padded on the right with 0. Shape `(batch, time)`.
        divided_by: The temperature.

    Returns:
        Shape `(batch, labels)`.
    """
    ops, ngrams, linear = keras.ops, blend.model.ngrams, blend.model.linear
    factor = np.float32(blend.weight / divided_by)
    size = ngrams.vocabulary_size
    known = ops.greater(token_ids, OOV_ID)
    total, square = _tfidf(
        token_ids, known, linear.idf[:size], linear.weights[:size] * factor, "words"
    )
    if len(ngrams.pairs):
        places, found = _pairs(ngrams.pairs_of_ids(), token_ids, known)
        more, squares = _tfidf(
            places, found, linear.idf[size:], linear.weights[size:] * factor, "pairs"
        )
        total, square = ops.add(total, more), ops.add(square, squares)
    # A row without a known token has no answer, so what it is divided by does not matter.
    margins = ops.divide(total, ops.sqrt(ops.maximum(square, 1e-30)))
    if subwords := blend.model.subwords:
        # The row of a reserved token is zero, as it adds nothing.
        summed = ops.sum(_table(subwords.by_token * factor, "characters")(token_ids), axis=1)
        length = ops.cast(ops.not_equal(token_ids, PAD_ID), "float32")
        length = ops.maximum(ops.sum(length, axis=1, keepdims=True), 1.0)
        margins = ops.add(margins, ops.divide(summed, length))
    bias = _table(linear.bias[None, :] * factor, "bias")
    nothing = ops.multiply(ops.max(token_ids, axis=1), 0)
    return ops.add(margins, bias(nothing))


def _table(values: NDArray[Any], name: str) -> Any:  # noqa: ANN401 - Keras has no types
    rows, width = values.shape
    layer = keras.layers.Embedding(rows, width, trainable=False, name=f"linear_{name}")
    layer.build((None,))
    layer.set_weights([np.asarray(values, np.float32)])
    return layer


def _tfidf(
    places: Any,  # noqa: ANN401
    there: Any,  # noqa: ANN401
    idf: NDArray[np.float32],
    weights: NDArray[np.float32],
    name: str,
) -> tuple[Any, Any]:
    """Weighted sums of a row's features, `(batch, labels)`, and the sum of squares, `(batch, 1)`.

    A feature that a row has c times is at c places. Each of them gets one c-th of it.
    """
    ops = keras.ops
    same = ops.equal(ops.expand_dims(places, 2), ops.expand_dims(places, 1))
    same = ops.logical_and(same, ops.expand_dims(there, 1))
    counts = ops.maximum(ops.sum(ops.cast(same, "float32"), axis=2, keepdims=True), 1.0)
    value = ops.multiply(ops.add(ops.log(counts), 1.0), _table(idf[:, None], f"{name}_idf")(places))
    value = ops.where(ops.expand_dims(there, 2), value, 0.0)
    share = ops.divide(value, counts)
    square = ops.sum(ops.multiply(value, share), axis=1)
    rows = _table(weights, name)(places)
    return ops.sum(ops.multiply(rows, share), axis=1), square


def _pairs(pairs: NDArray[np.int32], token_ids: Any, known: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Place of each pair of neighbours among the pairs of the model, and whether it is there."""
    ops = keras.ops
    ones = ops.ones_like(token_ids)
    is_last = ops.equal(ops.cumsum(ones, axis=1), ops.sum(ones, axis=1, keepdims=True))
    both = ops.logical_and(known, ops.roll(known, -1, axis=1))
    both = ops.logical_and(both, ops.logical_not(is_last))
    first = ops.expand_dims(ops.cast(token_ids, "float32"), 2)
    second = ops.expand_dims(ops.cast(ops.roll(token_ids, -1, axis=1), "float32"), 2)
    steps = max(1, int(len(pairs) - 1).bit_length())
    padded = np.full((1 << steps, 2), _ABOVE_IDS, np.float32)
    padded[: len(pairs)] = pairs
    firsts, seconds = _table(padded[:, :1], "pairs_first"), _table(padded[:, 1:], "pairs_second")
    # A binary search, one bit of the place after the other.
    place = ops.zeros_like(token_ids)
    for bit in reversed(range(steps)):
        tried = ops.add(place, 1 << bit)
        mine, follows = firsts(tried), seconds(tried)
        same = ops.logical_and(ops.equal(mine, first), ops.less_equal(follows, second))
        below = ops.squeeze(ops.logical_or(ops.less(mine, first), same), axis=2)
        place = ops.where(below, tried, place)
    found = ops.logical_and(ops.equal(firsts(place), first), ops.equal(seconds(place), second))
    place = ops.minimum(place, len(pairs) - 1)
    return place, ops.logical_and(ops.squeeze(found, axis=2), both)
