"""One ONNX file: token ids in, probabilities out; all weights inside, all that is known beside it.

The network is the bundle's own graph. Around it come the linear model, the temperature and the
softmax. What another program needs to make token ids of texts is in the file's metadata.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
from onnx import ModelProto, TensorProto, compose, helper

from textbatch.data.json_text import json_text
from textbatch.errors import BundleError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.engines.onnx_session import open_session
from textbatch.model.export.described import Difference, description_of, linear_part
from textbatch.model.export.onnx_linear import add_linear
from textbatch.model.export.onnx_nodes import NodeList
from textbatch.model.network.chain import Chain
from textbatch.model.network.onnx_graph import with_weights
from textbatch.text.bucketing import pad
from textbatch.text.vocabulary import OOV_ID
from textbatch.types import Float32Array

#: protobuf, which ONNX files are written in, has no longer messages.
_MAX_BYTES = (2 << 30) - 1
_PREFIX = "network."
_INPUTS = {
    "token_ids": {
        "type": "int32",
        "shape": ["batch", "time"],
        "meaning": "tokens of each text from step 0 on, then 0",
    },
    "lengths": {"type": "int32", "shape": ["batch"], "meaning": "tokens of each text"},
}


def onnx_file(
    bundle: Bundle, graph: ModelProto, golden_rows: Difference, unknown_words: Difference | None
) -> bytes:
    """Write the file, with all that another program needs in its metadata.

    Args:
        bundle: The model.
        graph: What `onnx_graph` has made of it.
        golden_rows: How far its answers are from the model's.
        unknown_words: The same with unknown words; None if nothing is left out.

    Raises:
        BundleError: It is too large for one file.
    """
    outputs = {
        "probabilities": {
            "type": "float32",
            "shape": ["batch", len(bundle.labels)],
            "meaning": "in the order of the labels; NaN for a text without a known token",
        }
    }
    entries: dict[str, Any] = {
        **description_of(bundle),
        "inputs": _INPUTS,
        "outputs": outputs,
        "linear_model": linear_part(bundle.classifier),
        "golden_rows": asdict(golden_rows),
        "unknown_words": asdict(unknown_words) if unknown_words else None,
    }
    helper.set_model_props(
        graph,
        {
            f"textbatch.{key}": value if isinstance(value, str) else json_text(value)
            for key, value in entries.items()
        },
    )
    _check_size(graph)
    return bytes(graph.SerializeToString(deterministic=True))


def _check_size(graph: ModelProto) -> None:
    size = graph.ByteSize()
    if size > _MAX_BYTES:
        raise BundleError(
            f"as one ONNX file the model has {size:,} bytes, more than {_MAX_BYTES:,}",
            "use model.onnx and weights.safetensors of the model, or another --format",
        )


def onnx_graph(classifier: Classifier) -> ModelProto:
    """Build the graph.

    Inputs: `token_ids` of shape `(batch, time)`, int32, and `lengths` of shape `(batch,)`, int32.
    Output: `probabilities` of shape `(batch, labels)`, float32, in the order of the labels; NaN for
    a text without a token of the vocabulary.

    Args:
        classifier: What answers.
    """
    packed = with_weights(classifier.graph, classifier.weights.data)
    network = compose.add_prefix(ModelProto.FromString(packed), _PREFIX)
    nodes = NodeList()
    ids = nodes.add("Cast", ["token_ids"], to=TensorProto.INT64)
    lengths = nodes.add("Cast", ["lengths"], to=TensorProto.INT64)
    known = _known(nodes, ids, lengths)
    any_known = nodes.add("Cast", [known], to=TensorProto.INT32)
    any_known = nodes.add("ReduceMax", [any_known], axes=[1], keepdims=1)
    evidence = nodes.add("Cast", [any_known], to=TensorProto.BOOL)
    # Operators of recurrent layers do not take rows of no tokens.
    asked = nodes.add("Max", ["lengths", nodes.constant(np.int32(1))])
    given = {
        "token_ids": nodes.add("Transpose", ["token_ids"], perm=[1, 0]),
        "lengths": asked,
    }
    if any(one.name == f"{_PREFIX}padded_ids" for one in network.graph.input):
        assert isinstance(classifier.architecture, Chain)
        given["padded_ids"] = _padded(nodes, classifier.architecture, lengths)
    for one in network.graph.input:
        name = one.name.removeprefix(_PREFIX)
        nodes.nodes.append(helper.make_node("Identity", [given[name]], [one.name]))
    nodes.nodes.extend(network.graph.node)
    logits = f"{_PREFIX}logits"
    if classifier.blend:
        addend = add_linear(nodes, classifier.blend, ids=ids, known=known, lengths=lengths)
        logits = nodes.add("Add", [logits, addend])
    scaled = nodes.add("Div", [logits, nodes.constant(np.float32(classifier.temperature))])
    answers = nodes.add("Softmax", [scaled], axis=1)
    nodes.nodes.append(
        helper.make_node(
            "Where", [evidence, answers, nodes.constant(np.float32(np.nan))], ["probabilities"]
        )
    )
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes.nodes,
        "textbatch",
        inputs=[info(name, TensorProto.INT32, one["shape"]) for name, one in _INPUTS.items()],
        outputs=[info("probabilities", TensorProto.FLOAT, ["batch", len(classifier.labels)])],
        initializer=[*network.graph.initializer, *nodes.tensors],
        doc_string="Text classification; the metadata says how texts become token ids.",
    )
    model: ModelProto = helper.make_model(
        graph,
        producer_name="textbatch",
        ir_version=network.ir_version,
        opset_imports=list(network.opset_import),
    )
    return model


def _known(nodes: NodeList, ids: str, lengths: str) -> str:
    """Where there is a token of the vocabulary: `(batch, time)`."""
    time = nodes.add("Squeeze", [nodes.add("Shape", ["token_ids"], start=1)])
    zero, one = nodes.constant(np.int64(0)), nodes.constant(np.int64(1))
    steps = nodes.add("Range", [zero, time, one])
    ends = nodes.add("Unsqueeze", [lengths, nodes.constant(np.array([1]))])
    real = nodes.add("Less", [steps, ends])
    return nodes.add("And", [real, nodes.add("Greater", [ids, nodes.constant(np.int64(OOV_ID))])])


def _padded(nodes: NodeList, chain: Chain, lengths: str) -> str:
    """The ids as Keras pads them: `(max_sequence_length, batch)`, int32."""
    steps = chain.max_sequence_length
    ends = nodes.add("Unsqueeze", [lengths, nodes.constant(np.array([1]))])
    step = nodes.constant(np.arange(steps)[None, :])
    nothing = nodes.add("Sub", [ends, ends])
    source = nodes.add("Add", [step, nothing])
    if chain.padding == "pre":
        pads = nodes.add("Sub", [nodes.constant(np.int64(steps)), ends])
        source = nodes.add("Sub", [step, pads])
    real = nodes.add("Less", [source, ends])
    real = nodes.add(
        "And", [real, nodes.add("GreaterOrEqual", [source, nodes.constant(np.int64(0))])]
    )
    time = nodes.add("Squeeze", [nodes.add("Shape", ["token_ids"], start=1)])
    last = nodes.add("Sub", [time, nodes.constant(np.int64(1))])
    place = nodes.add("Max", [source, nodes.constant(np.int64(0))])
    place = nodes.add("Min", [place, last])
    moved = nodes.add("GatherElements", ["token_ids", place], axis=1)
    padded = nodes.add("Where", [real, moved, nodes.constant(np.int32(0))])
    return nodes.add("Transpose", [padded], perm=[1, 0])


def answers_to(bundle: Bundle, graph: ModelProto) -> Callable[[pa.Array], Float32Array]:
    """What answers texts with the graph, by ONNX Runtime.

    Args:
        bundle: The model.
        graph: What `onnx_graph` has made of it.

    Raises:
        BundleError: It is too large for one file.
    """
    _check_size(graph)
    session = open_session(graph.SerializeToString())

    def answers(texts: pa.Array) -> Float32Array:
        batch = pad(bundle.classifier.tokenizer.encode(texts), np.arange(len(texts)))
        feeds = {"token_ids": batch.token_ids, "lengths": batch.lengths}
        found: Float32Array = session.run(["probabilities"], feeds)[0]
        return found

    return answers
