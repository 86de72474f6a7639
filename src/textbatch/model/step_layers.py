"""One step of the GRU and of the LSTM, as ONNX nodes on a level's rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from textbatch.batch import Float32Array
from textbatch.model.architecture import Architecture

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


def add_gru(
    graph: Graph, architecture: Architecture, tensors: Mapping[str, Float32Array], *, int8: bool
) -> None:
    """From the state `gru` (and `gru8`) and the level's `words` to the next; gates z, r, n."""
    units, kernel = architecture.gru_units, tensors["gru.R"][0].T
    zr, n = kernel[:, : 2 * units], kernel[:, 2 * units :]
    before = "gru8" if int8 else "gru"
    graph.add("Gather", "table.zr words", "x.zr")
    graph.add("Gather", "table.n words", "x.n")
    graph.product(before, zr, None, "h.zr", int8=int8)
    graph.add("Add", "x.zr h.zr", "a.zr")
    graph.add("Sigmoid", "a.zr", "zr")
    graph.add("Split", "zr", "z r", axis=1)
    if architecture.reset_after:
        graph.product(before, n, tensors["gru.B"][0][5 * units :], "h.n", int8=int8)
        graph.add("Mul", "r h.n", "rh")
    else:
        graph.add("Mul", "r gru", "r.gru")
        if int8:
            graph.quantized("r.gru", "r.gru8")
        graph.product("r.gru8" if int8 else "r.gru", n, None, "rh", int8=int8)
    graph.add("Add", "x.n rh", "a.n")
    graph.add("Tanh", "a.n", "n")
    # z h + (1 - z) n, with one product less
    graph.add("Sub", "gru n", "difference")
    graph.add("Mul", "z difference", "kept")
    graph.add("Add", "n kept", "gru.out")
    if int8:
        graph.quantized("gru.out", "gru8.out")


def add_lstm(
    graph: Graph, architecture: Architecture, tensors: Mapping[str, Float32Array], *, int8: bool
) -> None:
    """From the GRU's next state and the states `cell` and `lstm` (or `lstm8`) to their next."""
    units = architecture.lstm_units
    # Input and recurrent kernel as one: both inputs lie in [-1, 1].
    kernel = np.concatenate([tensors["lstm.W"][0].T, tensors["lstm.R"][0].T])
    bias = np.add(*np.split(tensors["lstm.B"][0], 2))
    graph.add("Concat", "gru8.out lstm8" if int8 else "gru.out lstm", "both", axis=1)
    # A product per gate costs less than splitting the result of one.
    for index, gate in enumerate("iofc"):
        part = slice(index * units, (index + 1) * units)
        graph.product("both", kernel[:, part], bias[part], f"a.{gate}", int8=int8)
        graph.add("Tanh" if gate == "c" else "Sigmoid", f"a.{gate}", gate)
    graph.add("Mul", "f cell", "fc")
    graph.add("Mul", "i c", "ic")
    graph.add("Add", "fc ic", "cell.out")
    graph.add("Tanh", "cell.out", "t")
    graph.add("Mul", "o t", "lstm.out")
    if int8:
        graph.quantized("lstm.out", "lstm8.out")
