"""A session of ONNX Runtime whose weights are the bytes that were verified."""

from __future__ import annotations

import os
from typing import Any

from textbatch.model.network.onnx_graph import with_weights
from textbatch.model.network.weights import Weights

# Set before the import: some builds of ONNX Runtime report their use to Microsoft. A job that reads
# private texts must not send anything anywhere.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

#: The input that the word vectors are, where a graph reads them.
VECTORS = "embedding"


def open_session(graph: bytes, weights: Weights | None = None, *, packs: bool = True) -> Any:  # noqa: ANN401 - it has no types
    """Open a session that runs each call on the thread of its caller.

    Several mini-batches at the same time use the cores better than one that is split over them.

    Args:
        graph: A serialized ONNX model, whose constants may point into the weights file.
        weights: The weights that they point into. The word vectors then become an input of the
            session, `VECTORS`.
        packs: Whether kernels are laid out anew, for faster products.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if not packs:
        options.add_session_config_entry("session.disable_prepacking", "1")
    if weights:
        # The bytes that were verified, not the file, which may have changed since then. As a
        # constant, the word vectors would be copied, which doubles what a model takes.
        graph = with_weights(graph, weights.data, fed=VECTORS)
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
