"""One step of a GRU or an LSTM layer, as ONNX nodes on the rows of a level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from onnx import TensorProto

from textbatch.model.engines.graph_builder import Graph
from textbatch.model.network.architecture import Architecture, StackedLayer
from textbatch.types import Float32Array

#: A state of the loop: name, element type, width.
State = tuple[str, int, int]


def token_parts(
    architecture: Architecture, tensors: Mapping[str, Float32Array]
) -> Iterator[tuple[str, Float32Array, Float32Array]]:
    """Yield the parts of the first layer's input product.

    They are apart, as the gates that read them are.

    Args:
        architecture: The network.
        tensors: Its weights.

    Returns:
        The name of each part, its kernel, shape `(inputs, outputs)`, and its bias, `(outputs,)`.
    """
    layer = architecture.stack()[0]
    name, units = layer.name, layer.units
    kernel = tensors[f"{name}.W"][0].T
    if layer.cell == "lstm":
        bias = np.add(*np.split(tensors[f"{name}.B"][0], 2))
        parts = {
            gate: slice(index * units, (index + 1) * units) for index, gate in enumerate("iofc")
        }
    else:
        bias = _gru_bias(tensors[f"{name}.B"][0], reset_after=architecture.reset_after)
        parts = {"zr": slice(None, 2 * units), "n": slice(2 * units, None)}
    for gate, part in parts.items():
        yield f"table.{gate}", kernel[:, part], bias[part]


def layer_states(layer: StackedLayer, *, int8: bool) -> list[State]:
    """The states that a layer passes from step to step.

    Args:
        layer: The layer.
        int8: Whether its products are 8-bit.
    """
    name, units = layer.name, layer.units
    state8 = (f"{name}8", TensorProto.UINT8, units)
    if layer.cell == "lstm":
        state = (name, TensorProto.FLOAT, units)
        return [(f"{name}.cell", TensorProto.FLOAT, units), state8 if int8 else state]
    return [(name, TensorProto.FLOAT, units), *([state8] if int8 else [])]


def add_gru(
    graph: Graph,
    layer: StackedLayer,
    tensors: Mapping[str, Float32Array],
    *,
    below: str | None,
    reset_after: bool,
    int8: bool,
) -> None:
    """Add one step of a GRU: from its state (and the 8-bit form of it) to the next. Gates z, r, n.

    Args:
        graph: Where the nodes go.
        layer: The layer.
        tensors: All weights.
        below: Name of the layer that it reads; None means that it reads the `words` of the level.
        reset_after: See `Architecture`.
        int8: Whether its products are 8-bit.
    """
    name, units = layer.name, layer.units
    zr, n = slice(None, 2 * units), slice(2 * units, None)
    kernel, recurrent = tensors[f"{name}.W"][0].T, tensors[f"{name}.R"][0].T
    bias = _gru_bias(tensors[f"{name}.B"][0], reset_after=reset_after)
    recurrent_bias = tensors[f"{name}.B"][0][5 * units :]
    eight = "8" if int8 else ""
    before = f"{name}{eight}"
    after = f"{below}{eight}.out"

    def own(part: str) -> str:
        return f"{name}.{part}"

    if below is None:
        graph.add("Gather", "table.zr words", own("x.zr"))
        graph.product(before, recurrent[:, zr], None, own("h.zr"), int8=int8)
        graph.add("Add", f"{own('x.zr')} {own('h.zr')}", own("a.zr"))
        graph.add("Gather", "table.n words", own("x.n"))
    else:
        graph.add("Concat", f"{after} {before}", own("both"), axis=1)
        both = np.concatenate([kernel[:, zr], recurrent[:, zr]])
        graph.product(own("both"), both, bias[zr], own("a.zr"), int8=int8)
        graph.product(after, kernel[:, n], bias[n], own("x.n"), int8=int8)
    graph.add("Sigmoid", own("a.zr"), own("zr"))
    graph.add("Split", own("zr"), f"{own('z')} {own('r')}", axis=1)
    if reset_after:
        graph.product(before, recurrent[:, n], recurrent_bias, own("h.n"), int8=int8)
        graph.add("Mul", f"{own('r')} {own('h.n')}", own("rh"))
    else:
        graph.add("Mul", f"{own('r')} {name}", own("r.h"))
        if int8:
            graph.quantized(own("r.h"), own("r.h8"))
        graph.product(own(f"r.h{eight}"), recurrent[:, n], None, own("rh"), int8=int8)
    graph.add("Add", f"{own('x.n')} {own('rh')}", own("a.n"))
    graph.add("Tanh", own("a.n"), own("n"))
    # This is z h + (1 - z) n, with one product less.
    graph.add("Sub", f"{name} {own('n')}", own("difference"))
    graph.add("Mul", f"{own('z')} {own('difference')}", own("kept"))
    graph.add("Add", f"{own('n')} {own('kept')}", f"{name}.out")
    if int8:
        graph.quantized(f"{name}.out", f"{name}8.out")


def add_lstm(
    graph: Graph,
    layer: StackedLayer,
    tensors: Mapping[str, Float32Array],
    *,
    below: str | None,
    int8: bool,
) -> None:
    """Add one step of an LSTM: from its cell and output (or the 8-bit form of it) to the next.

    Args:
        graph: Where the nodes go.
        layer: The layer.
        tensors: All weights.
        below: Name of the layer that it reads; None means that it reads the `words` of the level.
        int8: Whether its products are 8-bit.
    """
    name, units = layer.name, layer.units
    kernel = recurrent = tensors[f"{name}.R"][0].T
    bias = np.add(*np.split(tensors[f"{name}.B"][0], 2))
    eight = "8" if int8 else ""
    read = f"{name}{eight}"
    if below is not None:
        # One product for the input and the recurrent kernel: both inputs are in [-1, 1].
        kernel = np.concatenate([tensors[f"{name}.W"][0].T, recurrent])
        read = f"{name}.both"
        graph.add("Concat", f"{below}{eight}.out {name}{eight}", read, axis=1)
    # One product for each gate costs less than splitting the result of one large product.
    for index, gate in enumerate("iofc"):
        part = slice(index * units, (index + 1) * units)
        total = f"{name}.a.{gate}"
        if below is None:
            graph.product(read, kernel[:, part], None, f"{name}.h.{gate}", int8=int8)
            graph.add("Gather", f"table.{gate} words", f"{name}.x.{gate}")
            graph.add("Add", f"{name}.x.{gate} {name}.h.{gate}", total)
        else:
            graph.product(read, kernel[:, part], bias[part], total, int8=int8)
        graph.add("Tanh" if gate == "c" else "Sigmoid", total, f"{name}.{gate}")
    graph.add("Mul", f"{name}.f {name}.cell", f"{name}.fc")
    graph.add("Mul", f"{name}.i {name}.c", f"{name}.ic")
    graph.add("Add", f"{name}.fc {name}.ic", f"{name}.cell.out")
    graph.add("Tanh", f"{name}.cell.out", f"{name}.t")
    graph.add("Mul", f"{name}.o {name}.t", f"{name}.out")
    if int8:
        graph.quantized(f"{name}.out", f"{name}8.out")


def _gru_bias(bias: Float32Array, *, reset_after: bool) -> Float32Array:
    """The bias that is added to the input product: all biases, with one exception.

    With `reset_after`, the recurrent bias of gate n is added later.
    """
    input_bias, recurrent_bias = np.split(bias, 2)
    folded = (2 if reset_after else 3) * len(input_bias) // 3
    here = np.arange(len(input_bias)) < folded
    total: Float32Array = input_bias + np.where(here, recurrent_bias, np.float32(0))
    return total
