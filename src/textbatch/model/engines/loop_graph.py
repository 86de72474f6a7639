"""The network as one ONNX Loop over time, in float32 or int8. It computes equal beginnings once.

Level `t` of the prefix tree of a mini-batch holds its distinct beginnings of `t + 1` tokens. Each
iteration of the loop computes one level: it takes the states of the level before, and does one
step of each recurrent layer. Rows that end leave the loop, so no padding is ever computed.
Compared with ONNX's fused GRU and LSTM this saves a quarter of the time in float32, and half of it
in int8 (`benchmarks/README.md`).

A bidirectional network cannot compute equal beginnings once. It runs on the fused graph instead.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import GraphProto, TensorProto, helper

from textbatch.model.choices import Precision
from textbatch.model.engines.graph_builder import ZERO, Graph, serialized
from textbatch.model.engines.loop_layers import (
    State,
    add_gru,
    add_lstm,
    layer_states,
)
from textbatch.model.engines.loop_pooling import START, add_pooling, pooling_states
from textbatch.model.network.architecture import Architecture
from textbatch.types import Float32Array

_FLOAT, _UINT8, _INT64, _BOOL = (
    TensorProto.FLOAT,
    TensorProto.UINT8,
    TensorProto.INT64,
    TensorProto.BOOL,
)
#: The arrays of the prefix tree, each of shape `(time, batch)`.
_TREE = {
    "tokens": TensorProto.INT32,
    "is_new": _BOOL,
    "parents": TensorProto.INT32,
    "nodes": TensorProto.INT32,
    "is_end": _BOOL,
}


def build_step_graph(
    architecture: Architecture,
    tensors: Mapping[str, Float32Array],
    table: Mapping[str, int],
    *,
    precision: Precision,
) -> bytes:
    """Build the graph.

    Its inputs are the arrays of a `PrefixTree`, and the lines of a `TokenTable`, which the tokens
    of the tree are numbers of. Its output is `logits`, of shape `(batch, labels)`.
    The rows of the output are sorted by length; rows of equal length keep their order.

    Args:
        architecture: The network. It is not bidirectional.
        tensors: Its weights.
        table: Width of each part of a `TokenTable`, by name.
        precision: `int8` is for the products of the recurrent layers. The rest is float32.

    Returns:
        The serialized ONNX model.
    """
    int8 = precision == "int8"
    body, states = _step(architecture, tensors, int8=int8)
    graph = Graph()
    for name, kind, width in states:
        empty = ZERO if kind == _UINT8 else START.get(name, 0)
        graph.constant(
            f"{name}.start", np.full((1, width), empty, np.uint8 if kind == _UINT8 else np.float32)
        )
    graph.constant("true", np.array(True))  # noqa: FBT003 - a tensor
    graph.add("Shape", "tokens", "shape", end=1)
    graph.add("Squeeze", "shape", "time")
    graph.add("SequenceEmpty", "", "none", dtype=_FLOAT)
    starts = " ".join(f"{name}.start" for name, _, _ in states)
    lasts = " ".join(f"{name}.last" for name, _, _ in states)
    graph.add("Loop", f"time true {starts} none", f"{lasts} ended", body=body)
    graph.add("ConcatFromSequence", "ended", "pooled", axis=0)
    for name in ("dense.W", "dense.B", "logits.W", "logits.B"):
        graph.constant(name, tensors[name])
    graph.add("Gemm", "pooled dense.W dense.B", "dense")
    graph.add("Relu", "dense", "features")
    graph.add("Gemm", "features logits.W logits.B", "logits")
    info = helper.make_tensor_value_info
    return serialized(
        graph,
        "textbatch-steps",
        [info(name, kind, ["time", "batch"]) for name, kind in _TREE.items()]
        + [info(name, _FLOAT, ["lines", width]) for name, width in table.items()],
        [info("logits", _FLOAT, ["batch", architecture.num_labels])],
    )


def _step(
    architecture: Architecture, tensors: Mapping[str, Float32Array], *, int8: bool
) -> tuple[GraphProto, list[State]]:
    """Build the body of the loop. Return it, and the states that it passes to the next step."""
    graph = Graph()
    stack = architecture.stack()
    states = [state for layer in stack for state in layer_states(layer, int8=int8)]
    states += pooling_states(architecture)
    if int8:
        graph.add_scale()
    for name in _TREE:
        graph.add("Gather", f"{name} level", f"{name}.all")
    graph.add("Compress", "tokens.all is_new.all", "words", axis=0)
    graph.add("Compress", "parents.all is_new.all", "from", axis=0)
    graph.add("Compress", "nodes.all is_end.all", "ends", axis=0)
    for name, _, _ in states:
        graph.add("Gather", f"{name}.in from", name)
    below = None
    for layer in stack:
        if layer.cell == "lstm":
            add_lstm(graph, layer, tensors, below=below, int8=int8)
        else:
            reset_after = architecture.reset_after
            add_gru(graph, layer, tensors, below=below, reset_after=reset_after, int8=int8)
        below = layer.name
    add_pooling(graph, architecture)
    graph.add("SequenceInsert", "ended.in leaving", "ended.out")
    graph.add("Identity", "go", "go.out")
    info, sequence = helper.make_tensor_value_info, helper.make_tensor_sequence_value_info
    body = helper.make_graph(
        graph.nodes,
        "step",
        [info("level", _INT64, []), info("go", _BOOL, [])]
        + [info(f"{name}.in", kind, ["parents", width]) for name, kind, width in states]
        + [sequence("ended.in", _FLOAT, None)],
        [info("go.out", _BOOL, [])]
        + [info(f"{name}.out", kind, ["nodes", width]) for name, kind, width in states]
        + [sequence("ended.out", _FLOAT, None)],
        graph.constants,
    )
    return body, states
