"""Recurrent layers of a chain, with ONNX's fused operators."""

from __future__ import annotations

import numpy as np
from onnx import helper

from textbatch.model.network.chain import ChainLayer, PlacedLayer
from textbatch.model.network.chain_nodes import Nodes, Value, alone

ACTIVATIONS = {
    "relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "elu": "Elu", "selu": "Selu",
    "softplus": "Softplus", "softsign": "Softsign", "exponential": "Exp",
}  # fmt: skip
#: Name and alpha of a gate's activation. Its beta is 0.5.
_GATES = {"hard_sigmoid": 0.2, "hard_sigmoid_3": 1 / 6}


def recurrent(nodes: Nodes, placed: PlacedLayer, below: Value) -> Value:
    """Add a recurrent layer.

    Args:
        nodes: Where its nodes go.
        placed: The layer.
        below: What it reads.

    Returns:
        Its output.
    """
    layer, masked = placed.layer, placed.masked
    made: list[tuple[str, str]] = []

    def outputs() -> tuple[str, str]:
        """All states, `(time, directions, batch, units)`, and the last, without time."""
        if not made:
            value = below.masked() if masked else below.padded()
            made.append(_fused(nodes, placed, value, masked=masked))
        return made[0]

    if not layer.sequence:
        return alone(lambda: _merged(nodes, layer, _ways(nodes, outputs()[1], layer, axis=0)))

    def all_states() -> str:
        return _merged(nodes, layer, _ways(nodes, outputs()[0], layer, axis=1))

    if not masked:
        return alone(all_states)
    return Value(
        masked=all_states,
        padded=lambda: _merged(
            nodes,
            layer,
            [
                _laid_out(nodes, states, last, layer, backward=bool(way))
                for way, (states, last) in enumerate(
                    zip(
                        _ways(nodes, outputs()[0], layer, axis=1),
                        _ways(nodes, outputs()[1], layer, axis=0),
                        strict=True,
                    )
                )
            ],
        ),
    )


def _fused(nodes: Nodes, placed: PlacedLayer, value: str, *, masked: bool) -> tuple[str, str]:
    layer, name = placed.layer, placed.name
    states, last = f"{name}.all", f"{name}.last"
    tensors = [f"{name}.{part}" for part in "WRB"]
    node = helper.make_node(
        layer.kind.upper(),
        [value, *tensors, "lengths" if masked else ""],
        [states, last],
        hidden_size=layer.units,
        direction="bidirectional" if layer.merge else "forward",
    )
    if layer.kind == "gru":
        reset_after = int(layer.reset_after)
        node.attribute.append(helper.make_attribute("linear_before_reset", reset_after))
    if layer.gate != "sigmoid" or layer.activation != "tanh":
        gate = "HardSigmoid" if layer.gate in _GATES else "Sigmoid"
        state = {**ACTIVATIONS, "linear": "Affine"}[layer.activation]
        names = [gate, state, *([state] if layer.kind == "lstm" else [])]
        # ONNX Runtime hands these out in turn, to the functions alone that take them.
        slopes = {"HardSigmoid": _GATES.get(layer.gate, 0.0), "Affine": 1.0}
        offsets = {"HardSigmoid": 0.5, "Affine": 0.0}
        alphas, betas = (
            [table[one] for one in names if one in table] for table in (slopes, offsets)
        )
        for key, values in (
            ("activations", names),
            ("activation_alpha", alphas),
            ("activation_beta", betas),
        ):
            if values:
                node.attribute.append(helper.make_attribute(key, values * layer.directions))
    nodes.nodes.append(node)
    return states, last


def _ways(nodes: Nodes, value: str, layer: ChainLayer, *, axis: int) -> list[str]:
    """The directions of a value, one by one."""
    if not layer.merge:
        return [nodes.add("Squeeze", [value, nodes.constant([axis])])]
    return [nodes.add("Gather", [value, nodes.constant(way)], axis=axis) for way in range(2)]


def _merged(nodes: Nodes, layer: ChainLayer, ways: list[str]) -> str:
    if not layer.merge:
        return ways[0]
    if layer.merge == "concat":
        return nodes.add("Concat", ways, axis=-1)
    together = nodes.add("Mul" if layer.merge == "mul" else "Add", ways)
    if layer.merge == "ave":
        return nodes.add("Mul", [together, nodes.constant(0.5, np.float32)])
    return together


def _laid_out(nodes: Nodes, states: str, last: str, layer: ChainLayer, *, backward: bool) -> str:
    """Move states to the steps where Keras has them; padding gets what Keras gives it.

    A layer repeats its state where the mask skips a step. Before its first step it has zeros.
    """
    pre, steps = nodes.chain.padding == "pre", nodes.chain.max_sequence_length
    step = nodes.constant(np.arange(steps)[:, None])
    source = step
    if pre:
        pads = nodes.add("Sub", [nodes.constant(steps), nodes.lengths()])
        source = nodes.add("Sub", [step, pads])
        real = nodes.add("GreaterOrEqual", [source, nodes.constant(0)])
    else:
        zeros = nodes.add("Sub", [nodes.lengths(), nodes.lengths()])
        source = nodes.add("Add", [step, zeros])
        real = nodes.add("Less", [source, nodes.lengths()])
    time = nodes.add("Squeeze", [nodes.add("Shape", [states], end=1)])
    final = nodes.add("Sub", [time, nodes.constant(1)])
    inside = nodes.add("Min", [nodes.add("Max", [source, nodes.constant(0)]), final])
    places = nodes.add("Unsqueeze", [inside, nodes.constant([2])])
    wide = nodes.add("Expand", [places, nodes.constant([1, 1, layer.units])])
    moved = nodes.add("GatherElements", [states, wide], axis=0)
    fill = nodes.constant(0, np.float32)
    if pre == backward and not layer.zeros:
        fill = nodes.add("Unsqueeze", [last, nodes.constant([0])])
    mask = nodes.add("Unsqueeze", [real, nodes.constant([2])])
    return nodes.add("Where", [mask, moved, fill])
