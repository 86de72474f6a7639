"""Nodes and constants that the graph of steps is made of, products in float32 or int8."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from textbatch.types import Float32Array

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
