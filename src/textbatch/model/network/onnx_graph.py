"""The network as an ONNX graph, built node by node.

Keras's own export turns recurrent layers into Loop nodes. This graph uses ONNX's fused GRU and LSTM
operators, with `sequence_lens` as the mask. Its initialisers point into the safetensors file of the
bundle. The logits of a row do not depend on the other rows of its mini-batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from textbatch.model.layout import LAYOUT
from textbatch.model.network.architecture import Architecture, StackedLayer

_OPSET, _IR_VERSION = 17, 8
#: A number below every state of a GRU or an LSTM, which are in [-1, 1].
BELOW_STATES = np.float32(-2)


def build_graph(architecture: Architecture, offsets: Mapping[str, int]) -> bytes:
    """Build the graph.

    Inputs: `token_ids` of shape `(sequence_length, batch)`, int32, and `lengths` of shape
    `(batch,)`, int32. Output: `logits` of shape `(batch, labels)`, float32.

    Args:
        architecture: The network.
        offsets: Where each tensor starts in the weights file, in bytes.

    Returns:
        The serialized ONNX model. The same arguments give the same bytes.
    """
    node = helper.make_node
    nodes = [node("Gather", ["embedding", "token_ids"], ["vectors"])]
    constants: dict[str, NDArray[np.generic]] = {}
    below = "vectors"
    *lower, top = architecture.stack()
    for layer in lower:
        nodes += _recurrent(architecture, layer, below, sequence=True, state=False)
        nodes += _sequence(architecture, layer, constants)
        below = layer.name
    poolings = architecture.poolings
    sequence, state = poolings != ("last",), "last" in poolings
    nodes += _recurrent(architecture, top, below, sequence=sequence, state=state)
    if sequence:
        nodes += _sequence(architecture, top, constants)
        nodes += _pooled(top, poolings, constants)
    if state:
        nodes += _state(architecture, top, constants)
    pooled = [f"pooled.{kind}" for kind in poolings]
    if len(pooled) > 1:
        nodes.append(node("Concat", pooled, ["pooled"], axis=1))
    nodes += [
        node("Gemm", ["pooled" if len(pooled) > 1 else pooled[0], "dense.W", "dense.B"], ["dense"]),
        node("Relu", ["dense"], ["features"]),
        node("Gemm", ["features", "logits.W", "logits.B"], ["logits"]),
    ]
    return serialized_graph(
        nodes,
        inputs={"token_ids": ["time", "batch"], "lengths": ["batch"]},
        num_labels=architecture.num_labels,
        weights={
            name: (shape, offsets[name]) for name, shape in architecture.tensor_shapes().items()
        },
        constants=constants,
    )


def serialized_graph(
    nodes: Sequence[NodeProto],
    *,
    inputs: Mapping[str, Sequence[str | int]],
    num_labels: int,
    weights: Mapping[str, tuple[tuple[int, ...], int]],
    constants: Mapping[str, NDArray[np.generic]],
) -> bytes:
    """Make a model of nodes whose last output is `logits`, of shape `(batch, labels)`.

    Args:
        nodes: The nodes, in order.
        inputs: Shapes of the inputs, which are int32, by name.
        num_labels: Width of the output.
        weights: Shape of each tensor, and where it starts in the weights file, in bytes.
        constants: The other constants, by name.

    Returns:
        The serialized ONNX model. The same arguments give the same bytes.
    """
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "textbatch",
        inputs=[info(name, TensorProto.INT32, shape) for name, shape in inputs.items()],
        outputs=[info("logits", TensorProto.FLOAT, ["batch", num_labels])],
        initializer=[
            *(external_tensor(name, shape, offset) for name, (shape, offset) in weights.items()),
            *(
                numpy_helper.from_array(np.asarray(value), name)
                for name, value in constants.items()
            ),
        ],
    )
    model: ModelProto = helper.make_model(
        graph,
        producer_name="textbatch",
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", _OPSET)],
    )
    return bytes(model.SerializeToString(deterministic=True))


def _recurrent(
    architecture: Architecture, layer: StackedLayer, below: str, *, sequence: bool, state: bool
) -> list[NodeProto]:
    """The fused operator. States: `(time, directions, batch, units)`; the last one has no time."""
    name = layer.name
    node = helper.make_node(
        layer.cell.upper(),
        [below, f"{name}.W", f"{name}.R", f"{name}.B", "lengths"],
        [f"{name}.all" if sequence else "", *([f"{name}.last"] if state else [])],
        hidden_size=layer.units,
        direction="bidirectional" if architecture.bidirectional else "forward",
    )
    if layer.cell == "gru":
        reset_after = int(architecture.reset_after)
        node.attribute.append(helper.make_attribute("linear_before_reset", reset_after))
    return [node]


def _sequence(
    architecture: Architecture, layer: StackedLayer, constants: dict[str, NDArray[np.generic]]
) -> list[NodeProto]:
    """The states as the next layer reads them: `(time, batch, directions × units)`."""
    name = layer.name
    if not architecture.bidirectional:
        constants["second_axis"] = np.array([1])
        return [helper.make_node("Squeeze", [f"{name}.all", "second_axis"], [name])]
    constants[f"{name}.shape"] = np.array([0, 0, 2 * layer.units])
    return [
        helper.make_node("Transpose", [f"{name}.all"], [f"{name}.rows"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", [f"{name}.rows", f"{name}.shape"], [name]),
    ]


def _state(
    architecture: Architecture, layer: StackedLayer, constants: dict[str, NDArray[np.generic]]
) -> list[NodeProto]:
    """The last state of each direction: `(batch, directions × units)`."""
    last = f"{layer.name}.last"
    if not architecture.bidirectional:
        constants["first_axis"] = np.array([0])
        return [helper.make_node("Squeeze", [last, "first_axis"], ["pooled.last"])]
    constants["last.shape"] = np.array([0, 2 * layer.units])
    return [
        helper.make_node("Transpose", [last], ["last.rows"], perm=[1, 0, 2]),
        helper.make_node("Reshape", ["last.rows", "last.shape"], ["pooled.last"]),
    ]


def _pooled(
    layer: StackedLayer, poolings: tuple[str, ...], constants: dict[str, NDArray[np.generic]]
) -> list[NodeProto]:
    """Mean and maximum over the states of each row: `(batch, directions × units)` each."""
    node = helper.make_node
    constants["zero"], constants["one"] = np.array(0), np.array(1)
    constants["first_axis"], constants["second_axis"] = np.array([0]), np.array([1])
    constants["last_axis"] = np.array([-1])
    # After the end of a row ONNX demands zeros, but not every runtime obeys. So mask them here.
    nodes = [
        node("Shape", ["token_ids"], ["time.shape"], end=1),
        node("Squeeze", ["time.shape"], ["time"]),
        node("Range", ["zero", "time", "one"], ["steps"]),
        node("Unsqueeze", ["steps", "second_axis"], ["step"]),
        node("Cast", ["lengths"], ["lengths.long"], to=TensorProto.INT64),
        node("Less", ["step", "lengths.long"], ["is_real"]),
        node("Unsqueeze", ["is_real", "last_axis"], ["mask"]),
    ]
    if "mean" in poolings:
        constants["nothing"] = np.array(0, np.float32)
        nodes += [
            node("Where", ["mask", layer.name, "nothing"], ["mean.states"]),
            node("ReduceSum", ["mean.states", "first_axis"], ["mean.sum"], keepdims=0),
            node("Cast", ["lengths"], ["lengths.float"], to=TensorProto.FLOAT),
            node("Unsqueeze", ["lengths.float", "second_axis"], ["count"]),
            node("Div", ["mean.sum", "count"], ["pooled.mean"]),
        ]
    if "max" in poolings:
        constants["below"] = np.array(BELOW_STATES)
        nodes += [
            node("Where", ["mask", layer.name, "below"], ["max.states"]),
            node("ReduceMax", ["max.states"], ["pooled.max"], axes=[0], keepdims=0),
        ]
    return nodes


def external_tensor(name: str, shape: tuple[int, ...], offset: int) -> TensorProto:
    """Make a float32 constant that points into the weights file.

    Args:
        name: Name of the tensor.
        shape: Shape of the tensor.
        offset: Where it starts in the file, in bytes.
    """
    tensor = TensorProto(
        name=name,
        data_type=TensorProto.FLOAT,
        dims=shape,
        data_location=TensorProto.EXTERNAL,
    )
    length = 4 * int(np.prod(shape, dtype=np.int64))
    for key, value in (("location", LAYOUT.weights), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def with_weights(graph: bytes, weights: bytes | memoryview, *, fed: str = "") -> bytes:
    """Put the constants that `external_tensor` has point into the weights file into the graph.

    Args:
        graph: A serialized ONNX model.
        weights: The bytes of the weights file.
        fed: Name of a constant that becomes an input of the graph.
    """
    model = ModelProto.FromString(graph)
    for tensor in list(model.graph.initializer):
        if tensor.data_location == TensorProto.EXTERNAL and tensor.name == fed:
            info = helper.make_tensor_value_info(fed, tensor.data_type, tensor.dims)
            model.graph.input.append(info)
            model.graph.initializer.remove(tensor)
        elif tensor.data_location == TensorProto.EXTERNAL:
            place = {entry.key: entry.value for entry in tensor.external_data}
            start = int(place["offset"])
            tensor.raw_data = bytes(weights[start : start + int(place["length"])])
            tensor.ClearField("external_data")
            tensor.ClearField("data_location")
    packed: bytes = model.SerializeToString()
    return packed
