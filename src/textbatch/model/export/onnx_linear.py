"""The linear model of a bundle as nodes of an ONNX graph, from token ids alone.

Its features of words and pairs of words come from ids, and so do the character n-grams of words
that the vocabulary has. Those of other words come from characters, which ids do not tell.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto

from textbatch.model.bundle.blend import Blend
from textbatch.model.export.onnx_nodes import NodeList

#: As in `ngrams`: the first id of a pair is in the upper bits of its key.
_ID_BITS = 32


def add_linear(nodes: NodeList, blend: Blend, *, ids: str, known: str, lengths: str) -> str:
    """Add what the linear model adds to the logits.

    Args:
        nodes: Where the nodes go.
        blend: The linear model and its weight.
        ids: Token ids, int64. Shape `(batch, time)`.
        known: Where there is a token of the vocabulary, bool. Shape `(batch, time)`.
        lengths: Tokens of each row, int64. Shape `(batch,)`.

    Returns:
        Name of a value of shape `(batch, labels)`.
    """
    ngrams, linear = blend.model.ngrams, blend.model.linear
    size = ngrams.vocabulary_size
    parts = [(ids, known, linear.idf[:size], linear.weights[:size])]
    if len(ngrams.pairs):
        places, found = _pairs(nodes, ngrams.pairs, ids, known)
        parts.append((places, found, linear.idf[size:], linear.weights[size:]))
    sums, squares = zip(*(_tfidf(nodes, *part) for part in parts), strict=True)
    total, square = sums[0], squares[0]
    for one, other in zip(sums[1:], squares[1:], strict=True):
        total, square = nodes.add("Add", [total, one]), nodes.add("Add", [square, other])
    # A row without a known token has no answer, so what it is divided by does not matter.
    length = nodes.add("Sqrt", [nodes.add("Max", [square, nodes.constant(np.float32(1e-30))])])
    margins = nodes.add("Add", [nodes.add("Div", [total, length]), nodes.constant(linear.bias)])
    if subwords := blend.model.subwords:
        rows = nodes.add("Gather", [nodes.constant(subwords.by_token), ids])
        nothing = nodes.constant(np.float32(0))
        rows = nodes.add("Where", [nodes.add("Unsqueeze", [known, _axes(nodes, 2)]), rows, nothing])
        summed = nodes.add("ReduceSum", [rows, _axes(nodes, 1)], keepdims=0)
        count = nodes.add("Cast", [lengths], to=TensorProto.FLOAT)
        count = nodes.add("Max", [count, nodes.constant(np.float32(1))])
        count = nodes.add("Unsqueeze", [count, _axes(nodes, 1)])
        margins = nodes.add("Add", [margins, nodes.add("Div", [summed, count])])
    return nodes.add("Mul", [margins, nodes.constant(np.float32(blend.weight))])


def _axes(nodes: NodeList, axis: int) -> str:
    return nodes.constant(np.array([axis], np.int64))


def _tfidf(nodes: NodeList, places: str, there: str, idf: Any, weights: Any) -> tuple[str, str]:  # noqa: ANN401
    """Weighted sums of a row's features, `(batch, labels)`, and the sum of squares, `(batch, 1)`.

    A feature that a row has c times is at c places. Each of them gets one c-th of it.
    """
    mine = nodes.add("Unsqueeze", [places, _axes(nodes, 2)])
    others = nodes.add("Unsqueeze", [places, _axes(nodes, 1)])
    same = nodes.add("Equal", [mine, others])
    same = nodes.add("And", [same, nodes.add("Unsqueeze", [there, _axes(nodes, 1)])])
    same = nodes.add("Cast", [same], to=TensorProto.FLOAT)
    counts = nodes.add("ReduceSum", [same, _axes(nodes, 2)], keepdims=0)
    one = nodes.constant(np.float32(1))
    counts = nodes.add("Max", [counts, one])
    value = nodes.add("Add", [nodes.add("Log", [counts]), one])
    value = nodes.add("Mul", [value, nodes.add("Gather", [nodes.constant(idf), places])])
    value = nodes.add("Where", [there, value, nodes.constant(np.float32(0))])
    share = nodes.add("Div", [value, counts])
    squares = nodes.add(
        "ReduceSum", [nodes.add("Mul", [value, share]), _axes(nodes, 1)], keepdims=1
    )
    rows = nodes.add("Gather", [nodes.constant(weights), places])
    weighted = nodes.add("Mul", [rows, nodes.add("Unsqueeze", [share, _axes(nodes, 2)])])
    return nodes.add("ReduceSum", [weighted, _axes(nodes, 1)], keepdims=0), squares


def _pairs(nodes: NodeList, pairs: Any, ids: str, known: str) -> tuple[str, str]:  # noqa: ANN401
    """Place of each pair of neighbours among the pairs of the model, and whether it is there."""
    following = _shifted(nodes, ids, np.array([0], np.int64))
    both = nodes.add("And", [known, _shifted(nodes, known, np.array([False]))])
    upper = nodes.add("Mul", [ids, nodes.constant(np.int64(1 << _ID_BITS))])
    key = nodes.add("Add", [upper, following])
    steps = max(1, int(len(pairs) - 1).bit_length())
    padded = np.full(1 << steps, np.iinfo(np.int64).max)
    padded[: len(pairs)] = pairs
    table = nodes.constant(padded)
    # A binary search, one bit of the place after the other.
    place = nodes.add("Sub", [key, key])
    for bit in reversed(range(steps)):
        tried = nodes.add("Add", [place, nodes.constant(np.int64(1 << bit))])
        below = nodes.add("LessOrEqual", [nodes.add("Gather", [table, tried]), key])
        place = nodes.add("Where", [below, tried, place])
    found = nodes.add("Equal", [nodes.add("Gather", [table, place]), key])
    # Places of pairs that are not there must be in the tables too.
    place = nodes.add("Min", [place, nodes.constant(np.int64(len(pairs) - 1))])
    return place, nodes.add("And", [found, both])


def _shifted(nodes: NodeList, value: str, end: Any) -> str:  # noqa: ANN401
    """The value one step later; `end` after the last step."""
    rows = nodes.add("Shape", [value], end=1)
    column = nodes.add("Concat", [rows, nodes.constant(np.array([1], np.int64))], axis=0)
    last = nodes.add("Expand", [nodes.constant(end), column])
    starts, ends = nodes.constant(np.array([1])), nodes.constant(np.array([np.iinfo(np.int64).max]))
    later = nodes.add("Slice", [value, starts, ends, _axes(nodes, 1)])
    return nodes.add("Concat", [later, last], axis=1)
