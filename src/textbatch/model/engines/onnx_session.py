"""A session of ONNX Runtime whose weights are the bytes that were verified."""

from __future__ import annotations

import os
from typing import Any

from textbatch.model.layout import LAYOUT
from textbatch.model.network.onnx_graph import with_weights

# Set before the import: some builds of ONNX Runtime report their use to Microsoft. A job that reads
# private texts must not send anything anywhere.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

#: Whether a session takes the content of a weights file from memory: since release 1.24.
_TAKES_FILES = hasattr(onnxruntime.SessionOptions, "add_external_initializers_from_files_in_memory")


def open_session(graph: bytes, weights: bytes) -> Any:  # noqa: ANN401 - it has no types
    """Open a session that runs each call on the thread of its caller.

    Several mini-batches at the same time use the cores better than one that is split over them.

    Args:
        graph: A serialized ONNX model, whose constants may point into the weights file.
        weights: The content of the weights file.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # The bytes that were verified, not the file, which may have changed since then.
    if _TAKES_FILES:
        options.add_external_initializers_from_files_in_memory(
            [LAYOUT.weights], [weights], [len(weights)]
        )
    else:
        graph = with_weights(graph, weights)
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
