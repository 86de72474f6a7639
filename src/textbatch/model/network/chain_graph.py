"""A chain of layers as an ONNX graph, with ONNX's fused operators.

A layer with a mask reads texts whose tokens begin at step 0, with `lengths` as the mask: for it,
padding does not exist. A layer that sees padding reads all steps as Keras laid them out. Where it
follows layers with a mask, their states are moved to Keras's places, and padding gets what Keras
gives it: the state before it, or zeros where there is none.

The logits of a row do not depend on the other rows of its mini-batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from onnx import helper

from textbatch.model.network.chain import Chain, ChainLayer, PlacedLayer
from textbatch.model.network.chain_nodes import Nodes, Value, alone
from textbatch.model.network.chain_recurrent import ACTIVATIONS, recurrent
from textbatch.model.network.onnx_graph import serialized_graph


def build_chain_graph(chain: Chain, offsets: Mapping[str, int]) -> bytes:
    """Build the graph.

    Inputs: `token_ids` of shape `(time, batch)`, int32: tokens from step 0 on; `lengths` of shape
    `(batch,)`, int32; and, for a chain that computes padding, `padded_ids` of shape
    `(max_sequence_length, batch)`, int32: the ids as Keras pads them. Output: `logits` of shape
    `(batch, labels)`, float32.

    Args:
        chain: The network.
        offsets: Where each tensor starts in the weights file, in bytes.

    Returns:
        The serialized ONNX model. The same arguments give the same bytes.
    """
    nodes = Nodes(chain)
    builder = _Builder(nodes)
    value = Value(
        masked=lambda: nodes.add("Gather", ["embedding", "token_ids"]),
        padded=lambda: nodes.add("Gather", ["embedding", "padded_ids"]),
    )
    for placed in chain.placed():
        value = builder.layer(placed, value)
    nodes.nodes.append(helper.make_node("Identity", [value.masked()], ["logits"]))
    inputs: dict[str, list[str | int]] = {
        "token_ids": ["time", "batch"],
        "lengths": ["batch"],
        "padded_ids": [chain.max_sequence_length, "batch"],
    }
    used = {name for node in nodes.nodes for name in node.input}
    return serialized_graph(
        nodes.nodes,
        inputs={name: shape for name, shape in inputs.items() if name in used},
        num_labels=chain.num_labels,
        weights={name: (shape, offsets[name]) for name, shape in chain.tensor_shapes().items()},
        constants=nodes.constants,
    )


@dataclass
class _Builder:
    """Adds the layers."""

    nodes: Nodes

    def layer(self, placed: PlacedLayer, below: Value) -> Value:
        """Add a layer; return its output."""
        kind, masked = placed.layer.kind, placed.masked
        if kind in ("gru", "lstm"):
            return recurrent(self.nodes, placed, below)
        if kind in ("max", "mean", "flatten"):
            make = {"max": self._max, "mean": self._mean, "flatten": self._flat}[kind]
            return alone(lambda: make(placed, below))
        if kind == "conv1d":
            return alone(lambda: self._convolution(placed, below.padded()))
        if not placed.steps:
            return alone(lambda: self._each_step(placed, below.masked()))
        if not masked:
            return alone(lambda: self._each_step(placed, below.padded()))
        return Value(
            masked=lambda: self._each_step(placed, below.masked()),
            padded=lambda: self._each_step(placed, below.padded()),
        )

    def _each_step(self, placed: PlacedLayer, value: str) -> str:
        """A layer that sees one step at a time, or a value without steps."""
        name, layer = placed.name, placed.layer
        if layer.kind == "scale":
            value = self.nodes.add("Mul", [value, f"{name}.W"])
            return self.nodes.add("Add", [value, f"{name}.B"])
        if layer.kind == "dense":
            value = self.nodes.add("MatMul", [value, f"{name}.W"])
            value = self.nodes.add("Add", [value, f"{name}.B"])
        return self._activated(layer, value)

    def _activated(self, layer: ChainLayer, value: str) -> str:
        if layer.activation == "linear":
            return value
        return self.nodes.add(ACTIVATIONS[layer.activation], [value])

    def _convolution(self, placed: PlacedLayer, value: str) -> str:
        layer = placed.layer
        reach = layer.dilation * (layer.kernel - 1)
        begin = end = 0
        if layer.border == "causal":
            begin = reach
        elif layer.border == "same":
            outputs = -(-placed.steps // layer.stride)
            both = max(0, (outputs - 1) * layer.stride + reach + 1 - placed.steps)
            begin, end = both // 2, both - both // 2
        rows = self.nodes.add("Transpose", [value], perm=[1, 2, 0])
        rows = self.nodes.add(
            "Conv",
            [rows, f"{placed.name}.W", f"{placed.name}.B"],
            kernel_shape=[layer.kernel],
            strides=[layer.stride],
            dilations=[layer.dilation],
            pads=[begin, end],
        )
        return self._activated(layer, self.nodes.add("Transpose", [rows], perm=[2, 0, 1]))

    def _max(self, placed: PlacedLayer, below: Value) -> str:
        return self.nodes.add("ReduceMax", [below.padded()], axes=[0], keepdims=0)

    def _flat(self, placed: PlacedLayer, below: Value) -> str:
        rows = self.nodes.add("Transpose", [below.padded()], perm=[1, 0, 2])
        return self.nodes.add("Reshape", [rows, self.nodes.constant([0, placed.outputs])])

    def _mean(self, placed: PlacedLayer, below: Value) -> str:
        if not placed.masked:
            return self.nodes.add("ReduceMean", [below.padded()], axes=[0], keepdims=0)
        value = below.masked()
        nothing = self.nodes.constant(0, np.float32)
        real = self.nodes.add("Where", [self.nodes.is_real(value), value, nothing])
        total = self.nodes.add("ReduceSum", [real, self.nodes.constant([0])], keepdims=0)
        return self.nodes.add("Div", [total, self.nodes.counts()])
