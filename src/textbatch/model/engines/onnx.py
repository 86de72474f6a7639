"""ONNX Runtime on the CPU."""

from __future__ import annotations

import os

import joblib
import numpy as np

from textbatch.model.bundle.bundle import Bundle
from textbatch.model.choices import CPU_BATCH_TOKENS, Precision
from textbatch.model.engines.loop_graph import build_step_graph
from textbatch.model.engines.prefix_tree import prefix_tree
from textbatch.model.network.onnx_graph import WEIGHTS_FILE
from textbatch.text.bucketing import MiniBatch
from textbatch.types import Float32Array

# Its builds report their use to their maker unless told so before the import; a job that reads
# private texts calls nobody, and writes nowhere but where it was told.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime


class OnnxEngine:
    """The step graph, or for a bidirectional network the bundle's own; see `engines.Engine`.

    One session serves all workers, each call on the caller's own thread: mini-batches side by
    side use the cores better than one mini-batch split over them.
    """

    name = "onnx"
    device = "cpu"
    batch_tokens = CPU_BATCH_TOKENS

    def __init__(self, bundle: Bundle, *, threads: int | None, precision: Precision) -> None:
        # joblib counts what affinity and cgroups leave to this process.
        self.workers = threads or joblib.cpu_count()
        self.precision = precision
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        weights = bundle.weights
        # The very bytes that were verified, not the file, which may have changed since.
        options.add_external_initializers_from_files_in_memory(
            [WEIGHTS_FILE], [weights.data], [len(weights.data)]
        )
        # Read from both ends, texts share no beginnings: that is for ONNX's own operators.
        self._shares_beginnings = not bundle.architecture.bidirectional
        graph = (
            build_step_graph(
                bundle.architecture, weights.tensors, weights.offsets, precision=precision
            )
            if self._shares_beginnings
            else bundle.graph
        )
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )

    def predict_logits(self, batch: MiniBatch) -> Float32Array:
        """Logits of a mini-batch. Shape `(batch, labels)`."""
        if not self._shares_beginnings:
            token_ids = np.ascontiguousarray(batch.token_ids.T)
            feeds = {"token_ids": token_ids, "lengths": batch.lengths}
            answer: Float32Array = self._session.run(["logits"], feeds)[0]
            return answer
        (ended,) = self._session.run(["logits"], prefix_tree(batch).feeds())
        logits: Float32Array = np.empty_like(ended)
        # Rows come out as they end.
        logits[np.argsort(batch.lengths, kind="stable")] = ended
        return logits
