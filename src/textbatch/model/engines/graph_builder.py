"""Nodes and constants of the loop graph; matrix products in float32 or int8."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from textbatch.types import Float32Array

#: Largest int8 weight. With seven bits, the sum of two products with 8-bit activations fits in 16
#: bits. So processors without VNNI do not saturate, and compute the same integers.
_LARGEST_WEIGHT = 63
#: Outputs of GRU and LSTM are in [-1, 1], so their int8 scale is fixed. A scale from the mini-batch
#: would make the answer of a row depend on the other rows.
_SCALE, ZERO = np.float32(1 / 127), 128
_OPSET, _IR_VERSION = 17, 8


class Graph:
    """A graph that is being built: its nodes and constants."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, kind: str, inputs: str, outputs: str, **attributes: object) -> None:
        """Add a node.

        Args:
            kind: The ONNX operator.
            inputs: Names of its inputs, separated by spaces.
            outputs: Names of its outputs, separated by spaces.
            **attributes: Attributes of the operator.
        """
        node = helper.make_node(kind, inputs.split(), outputs.split(), **attributes)  # type: ignore[arg-type]
        self.nodes.append(node)

    def constant(self, name: str, value: NDArray[np.generic] | np.generic) -> None:
        """Add a constant.

        Args:
            name: Its name.
            value: Its value, of any shape and type.
        """
        array = np.ascontiguousarray(value).reshape(np.shape(value))
        self.constants.append(numpy_helper.from_array(array, name))

    def product(
        self, x: str, kernel: Float32Array, bias: Float32Array | None, output: str, *, int8: bool
    ) -> None:
        """Add `output = x @ kernel + bias`.

        Args:
            x: Name of the left side. Shape `(rows, inputs)`.
            kernel: Shape `(inputs, outputs)`.
            bias: Shape `(outputs,)`; None for no bias.
            output: Name of the result. Shape `(rows, outputs)`.
            int8: Whether `x` is 8-bit. The kernel then becomes 8-bit too, with a scale for each
                column. The result is float32.
        """
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
        """Add the 8-bit form of an array.

        Args:
            x: Name of the array. Its values are in [-1, 1].
            output: Name of the 8-bit form.
        """
        self.add("QuantizeLinear", f"{x} scale zero", output)

    def add_scale(self) -> None:
        """Add the constants that the 8-bit values refer to: scale and zero."""
        self.constant("scale", _SCALE)
        self.constant("zero", np.uint8(ZERO))


def serialized(
    graph: Graph, name: str, inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto]
) -> bytes:
    """Make a model of a graph.

    Args:
        graph: Its nodes and constants.
        name: Its name.
        inputs: Its inputs.
        outputs: Its outputs.

    Returns:
        The serialized ONNX model.
    """
    whole = helper.make_graph(graph.nodes, name, inputs, outputs, graph.constants)
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(whole, ir_version=_IR_VERSION, opset_imports=opsets)
    return bytes(model.SerializeToString())
