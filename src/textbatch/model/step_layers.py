"""One step of a GRU or an LSTM layer, as ONNX nodes on a level's rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from textbatch.batch import Float32Array
from textbatch.model.architecture import StackedLayer

#: A state of the loop: name, element type, width.
State = tuple[str, int, int]

#: Largest int8 weight. Seven bits: the sum of two products with 8-bit activations then fits in 16
#: bits, so that processors without VNNI do not saturate and give the same integers.
_LARGEST_WEIGHT = 63
#: GRU and LSTM outputs lie in [-1, 1], so their int8 scale is fixed: one taken from the mini-batch
#: would make a row's answer depend on the rows beside it.
_SCALE, ZERO = np.float32(1 / 127), 128


class Graph:
    """Nodes and constants of a graph in the making."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, kind: str, inputs: str, outputs: str, **attributes: object) -> None:
        """Add a node; names are separated by spaces."""
        node = helper.make_node(kind, inputs.split(), outputs.split(), **attributes)  # type: ignore[arg-type]
        self.nodes.append(node)

    def constant(self, name: str, value: NDArray[np.generic] | np.generic) -> None:
        """Add a constant."""
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        self.constants.append(numpy_helper.from_array(array, name))

    def product(
        self, x: str, kernel: Float32Array, bias: Float32Array | None, output: str, *, int8: bool
    ) -> None:
        """Add `output = x @ kernel + bias`; in int8, `x` is 8-bit and each column has a scale."""
        if bias is not None:
            self.constant(f"{output}.B", bias)
        if not int8:
            self.constant(f"{output}.W", kernel)
            kind, last = ("MatMul", "") if bias is None else ("Gemm", f"{output}.B")
            self.add(kind, f"{x} {output}.W {last}", output)
            return
        largest = np.maximum(np.abs(kernel).max(axis=0), np.float32(1e-30))
        step = largest / np.float32(_LARGEST_WEIGHT)
        self.constant(f"{output}.W8", np.rint(kernel / step).astype(np.int8))
        self.constant(f"{output}.step", step.astype(np.float32))
        inputs = [x, f"{output}.W8", "scale", f"{output}.step", "zero", ""]
        inputs += [f"{output}.B"] if bias is not None else []
        node = helper.make_node("MatMulIntegerToFloat", inputs, [output], domain="com.microsoft")
        self.nodes.append(node)

    def quantized(self, x: str, output: str) -> None:
        """Add `output`, the 8-bit form of `x`, whose values lie in [-1, 1]."""
        self.add("QuantizeLinear", f"{x} scale zero", output)

    def add_scale(self) -> None:
        """Add the constants that 8-bit values refer to."""
        self.constant("scale", _SCALE)
        self.constant("zero", np.uint8(ZERO))


def add_token_table(
    graph: Graph, layer: StackedLayer, tensors: Mapping[str, Float32Array], *, reset_after: bool
) -> None:
    """The first layer's input product for every word: ONNX Runtime computes it once, on loading."""
    name, units = layer.name, layer.units
    kernel = tensors[f"{name}.W"][0].T
    if layer.cell == "lstm":
        bias = np.add(*np.split(tensors[f"{name}.B"][0], 2))
        parts = {
            gate: slice(index * units, (index + 1) * units) for index, gate in enumerate("iofc")
        }
    else:
        bias = _gru_bias(tensors[f"{name}.B"][0], reset_after=reset_after)
        parts = {"zr": slice(None, 2 * units), "n": slice(2 * units, None)}
    for gate, part in parts.items():
        graph.constant(f"W.{gate}", kernel[:, part])
        graph.constant(f"B.{gate}", bias[part])
        graph.add("Gemm", f"embedding W.{gate} B.{gate}", f"table.{gate}")


def layer_states(layer: StackedLayer, *, int8: bool) -> list[State]:
    """What a layer hands from step to step: name, element type, width."""
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
    """From a layer's state (and its 8-bit form) to its next; gates z, r, n.

    Args:
        graph: Where the nodes go.
        layer: The layer.
        tensors: All weights.
        below: The layer that it reads; None reads the level's `words`.
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
    # z h + (1 - z) n, with one product less
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
    """From a layer's states, cell and output (or its 8-bit form), to its next.

    Args:
        graph: Where the nodes go.
        layer: The layer.
        tensors: All weights.
        below: The layer that it reads; None reads the level's `words`.
        int8: Whether its products are 8-bit.
    """
    name, units = layer.name, layer.units
    kernel = recurrent = tensors[f"{name}.R"][0].T
    bias = np.add(*np.split(tensors[f"{name}.B"][0], 2))
    eight = "8" if int8 else ""
    read = f"{name}{eight}"
    if below is not None:
        # Input and recurrent kernel as one: both inputs lie in [-1, 1].
        kernel = np.concatenate([tensors[f"{name}.W"][0].T, recurrent])
        read = f"{name}.both"
        graph.add("Concat", f"{below}{eight}.out {name}{eight}", read, axis=1)
    # A product per gate costs less than splitting the result of one.
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
    """What is added to the input product: with `reset_after`, n's recurrent bias is not."""
    input_bias, recurrent_bias = np.split(bias, 2)
    folded = (2 if reset_after else 3) * len(input_bias) // 3
    here = np.arange(len(input_bias)) < folded
    total: Float32Array = input_bias + np.where(here, recurrent_bias, np.float32(0))
    return total
