"""The engine ONNX Runtime, on the CPU."""

from __future__ import annotations

import os

import joblib
import numpy as np

from textbatch.model.bundle.classifier import Classifier
from textbatch.model.choices import CPU_BATCH_TOKENS, Precision
from textbatch.model.engines.loop_graph import build_step_graph
from textbatch.model.engines.prefix_tree import prefix_tree
from textbatch.model.layout import LAYOUT
from textbatch.model.network.onnx_graph import with_weights
from textbatch.text.bucketing import MiniBatch
from textbatch.types import Float32Array

# Set before the import: some builds of ONNX Runtime report their use to Microsoft. A job that reads
# private texts must not send anything anywhere.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime

#: Whether a session takes the content of a weights file from memory: since release 1.24.
_TAKES_FILES = hasattr(onnxruntime.SessionOptions, "add_external_initializers_from_files_in_memory")


class OnnxEngine:
    """Runs the loop graph, or for a bidirectional network the bundle's own; see `engines.Engine`.

    All workers share one session. Each call runs on the thread of its caller, because several
    mini-batches at the same time use the cores better than one mini-batch split over them.
    """

    name = "onnx"
    device = "cpu"
    batch_tokens = CPU_BATCH_TOKENS

    def __init__(
        self, classifier: Classifier, *, threads: int | None, precision: Precision
    ) -> None:
        # joblib counts the cores that affinity and cgroups allow this process.
        self.workers = threads or joblib.cpu_count()
        self.precision = precision
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        weights = classifier.weights
        # Bidirectional networks cannot share beginnings. They run on ONNX's own operators.
        self._shares_beginnings = not classifier.architecture.bidirectional
        graph = (
            build_step_graph(
                classifier.architecture, weights.tensors, weights.offsets, precision=precision
            )
            if self._shares_beginnings
            else classifier.graph
        )
        # The bytes that were verified, not the file, which may have changed since then.
        if _TAKES_FILES:
            options.add_external_initializers_from_files_in_memory(
                [LAYOUT.weights], [weights.data], [len(weights.data)]
            )
        else:
            graph = with_weights(graph, weights.data)
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )

    def predict_logits(self, batch: MiniBatch) -> Float32Array:
        """Compute the logits of a mini-batch. Shape `(batch, labels)`."""
        if not self._shares_beginnings:
            token_ids = np.ascontiguousarray(batch.token_ids.T)
            feeds = {"token_ids": token_ids, "lengths": batch.lengths}
            answer: Float32Array = self._session.run(["logits"], feeds)[0]
            return answer
        (ended,) = self._session.run(["logits"], prefix_tree(batch).feeds())
        logits: Float32Array = np.empty_like(ended)
        # The graph gives the rows in the order in which they end.
        logits[np.argsort(batch.lengths, kind="stable")] = ended
        return logits
