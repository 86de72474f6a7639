"""ONNX Runtime on the CPU."""

from __future__ import annotations

import os

import joblib
import numpy as np

from textbatch.batch import Float32Array
from textbatch.config import BATCH_TOKENS
from textbatch.model.bundle import Bundle
from textbatch.model.graph import WEIGHTS_FILE
from textbatch.text.bucketing import MiniBatch

# Its builds report their use to their maker unless told so before the import; a job that reads
# private texts calls nobody, and writes nowhere but where it was told.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime


class OnnxEngine:
    """The bundle's ONNX graph on its weights; see `engines.Engine`.

    One session serves all workers, each call on the caller's own thread: mini-batches side by
    side use the cores better than one mini-batch split over them.
    """

    name = "onnx"
    device = "cpu"
    batch_tokens = BATCH_TOKENS

    def __init__(self, bundle: Bundle, *, threads: int | None) -> None:
        # joblib counts what affinity and cgroups leave to this process.
        self.workers = threads or joblib.cpu_count()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        data = bundle.weights.data
        # The very bytes that were verified, not the file, which may have changed since.
        options.add_external_initializers_from_files_in_memory([WEIGHTS_FILE], [data], [len(data)])
        self._session = onnxruntime.InferenceSession(
            bundle.graph, options, providers=["CPUExecutionProvider"]
        )

    def predict_logits(self, batch: MiniBatch) -> Float32Array:
        """Logits of a mini-batch. Shape `(batch, labels)`."""
        feeds = {"token_ids": np.ascontiguousarray(batch.token_ids.T), "lengths": batch.lengths}
        (logits,) = self._session.run(["logits"], feeds)
        return np.asarray(logits, np.float32)
