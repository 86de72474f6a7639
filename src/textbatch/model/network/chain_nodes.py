"""Nodes of an ONNX graph for a chain, and the values between its layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from textbatch.model.network.chain import Chain


@dataclass
class Value:
    """A layer's output; nodes are made for a form of it when it is asked for, once.

    Attributes:
        masked: Makes the form with tokens from step 0 on, `(time, batch, width)`; of a value
            without steps the only form, `(batch, width)`.
        padded: Makes the form with all steps of Keras, `(steps, batch, width)`.
    """

    masked: Callable[[], str]
    padded: Callable[[], str]

    def __post_init__(self) -> None:
        self.masked, self.padded = _once(self.masked), _once(self.padded)


def _once(make: Callable[[], str]) -> Callable[[], str]:
    made: list[str] = []

    def get() -> str:
        if not made:
            made.append(make())
        return made[0]

    return get


def alone(make: Callable[[], str]) -> Value:
    """A value with one form."""
    once = _once(make)
    return Value(masked=once, padded=once)


@dataclass
class Nodes:
    """The nodes and constants of a graph.

    Attributes:
        chain: The network.
        nodes: The nodes.
        constants: The constants by name, without the weights.
    """

    chain: Chain
    nodes: list[NodeProto] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)
    _shared: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, inputs: list[str], **attributes: Any) -> str:  # noqa: ANN401 - ONNX's
        """Add a node with one output.

        Args:
            kind: Name of the operator.
            inputs: Names of its inputs.
            **attributes: Its attributes.

        Returns:
            Name of the output.
        """
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, value: Any, kind: type[np.generic] = np.int64) -> str:  # noqa: ANN401
        """Add a constant.

        Args:
            value: The value.
            kind: Its type.

        Returns:
            Its name; equal constants have one name.
        """
        array = np.asarray(value, kind)
        for name, there in self.constants.items():
            if there.dtype == array.dtype and np.array_equal(there, array):
                return name
        name = f"c{len(self.constants)}"
        self.constants[name] = array
        return name

    def lengths(self) -> str:
        """The tokens of each row, as int64: `(batch,)`."""
        if "lengths" not in self._shared:
            self._shared["lengths"] = self.add("Cast", ["lengths"], to=TensorProto.INT64)
        return self._shared["lengths"]

    def is_real(self, value: str) -> str:
        """Where a value with tokens from step 0 on is no padding: `(time, batch, 1)`."""
        time = self.add("Squeeze", [self.add("Shape", [value], end=1)])
        steps = self.add("Range", [self.constant(0), time, self.constant(1)])
        step = self.add("Unsqueeze", [steps, self.constant([1])])
        real = self.add("Less", [step, self.lengths()])
        return self.add("Unsqueeze", [real, self.constant([2])])

    def counts(self) -> str:
        """The tokens of each row, as float32: `(batch, 1)`."""
        count = self.add("Cast", ["lengths"], to=TensorProto.FLOAT)
        return self.add("Unsqueeze", [count, self.constant([1])])
