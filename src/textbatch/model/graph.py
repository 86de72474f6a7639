"""The network as an ONNX graph, written by hand.

Keras's own export turns recurrent layers into Loop nodes; this one uses ONNX's fused GRU and
LSTM operators, whose `sequence_lens` input makes the mask. Its initialisers point into the
bundle's safetensors file. A row's logits do not depend on the other rows of its mini-batch.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from textbatch.model.architecture import Architecture

WEIGHTS_FILE = "weights.safetensors"
_OPSET, _IR_VERSION = 17, 8


def build_graph(architecture: Architecture, offsets: Mapping[str, int]) -> bytes:
    """Write the graph.

    Inputs: `token_ids` of shape `(sequence_length, batch)`, int32, and `lengths` of shape
    `(batch,)`, int32. Output: `logits` of shape `(batch, labels)`.

    Args:
        architecture: The network.
        offsets: Where each tensor starts in the weights file, in bytes.

    Returns:
        A serialised ONNX model; the same bytes for the same arguments.
    """
    node = helper.make_node
    gru_weights, lstm_weights = ["gru.W", "gru.R", "gru.B"], ["lstm.W", "lstm.R", "lstm.B"]
    nodes = [
        node("Gather", ["embedding", "token_ids"], ["vectors"]),
        node(
            "GRU",
            ["vectors", *gru_weights, "lengths"],
            ["gru.all"],
            hidden_size=architecture.gru_units,
            linear_before_reset=int(architecture.reset_after),
        ),
        node("Squeeze", ["gru.all", "direction_of_all"], ["gru"]),
        node(
            "LSTM",
            ["gru", *lstm_weights, "lengths"],
            ["", "lstm.last"],
            hidden_size=architecture.lstm_units,
        ),
        node("Squeeze", ["lstm.last", "direction_of_last"], ["lstm"]),
        node("Gemm", ["lstm", "dense.W", "dense.B"], ["dense"]),
        node("Relu", ["dense"], ["features"]),
        node("Gemm", ["features", "logits.W", "logits.B"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "textbatch",
        inputs=[
            helper.make_tensor_value_info("token_ids", TensorProto.INT32, ["time", "batch"]),
            helper.make_tensor_value_info("lengths", TensorProto.INT32, ["batch"]),
        ],
        outputs=[
            helper.make_tensor_value_info(
                "logits", TensorProto.FLOAT, ["batch", architecture.num_labels]
            )
        ],
        initializer=[
            *(
                external_tensor(name, shape, offsets[name])
                for name, shape in architecture.tensor_shapes().items()
            ),
            numpy_helper.from_array(np.array([1]), "direction_of_all"),
            numpy_helper.from_array(np.array([0]), "direction_of_last"),
        ],
    )
    model: ModelProto = helper.make_model(
        graph,
        producer_name="textbatch",
        ir_version=_IR_VERSION,
        opset_imports=[helper.make_opsetid("", _OPSET)],
    )
    return bytes(model.SerializeToString(deterministic=True))


def external_tensor(name: str, shape: tuple[int, ...], offset: int) -> TensorProto:
    """A float32 constant that points into the weights file, `offset` in bytes."""
    tensor = TensorProto(
        name=name,
        data_type=TensorProto.FLOAT,
        dims=shape,
        data_location=TensorProto.EXTERNAL,
    )
    length = 4 * int(np.prod(shape, dtype=np.int64))
    for key, value in (("location", WEIGHTS_FILE), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor
