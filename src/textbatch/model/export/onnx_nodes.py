"""A list of ONNX nodes that is added to, with constants whose values are inside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper


@dataclass
class NodeList:
    """Nodes and constants of a graph.

    Attributes:
        nodes: The nodes, in order.
        tensors: The constants.
    """

    nodes: list[NodeProto] = field(default_factory=list)
    tensors: list[TensorProto] = field(default_factory=list)
    _small: dict[tuple[str, bytes, tuple[int, ...]], str] = field(default_factory=dict)

    def add(self, kind: str, inputs: list[str], **attributes: Any) -> str:  # noqa: ANN401 - ONNX's
        """Add a node with one output.

        Args:
            kind: Name of the operator.
            inputs: Names of its inputs.
            **attributes: Its attributes.

        Returns:
            Name of the output.
        """
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, value: NDArray[Any] | np.generic) -> str:
        """Add a constant; equal small ones are one.

        Args:
            value: The value, of the type that it shall have.

        Returns:
            Its name.
        """
        array = np.ascontiguousarray(value) if np.ndim(value) else np.asarray(value)
        key = (array.dtype.str, array.tobytes() if array.size < 16 else b"", array.shape)
        if array.size < 16 and key in self._small:
            return self._small[key]
        name = f"k{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(array, name))
        if array.size < 16:
            self._small[key] = name
        return name
