"""The engine ONNX Runtime, on the CPU."""

from __future__ import annotations

import numpy as np

from textbatch.model.bundle.classifier import Classifier
from textbatch.model.choices import CPU_BATCH_TOKENS, Precision
from textbatch.model.engines.cores import usable_cores
from textbatch.model.engines.loop_graph import build_step_graph
from textbatch.model.engines.onnx_session import VECTORS, open_session
from textbatch.model.engines.prefix_tree import prefix_tree
from textbatch.model.engines.token_table import TokenTable
from textbatch.model.network.architecture import Architecture
from textbatch.text.bucketing import MiniBatch
from textbatch.types import Float32Array


class OnnxEngine:
    """Runs the loop graph, or for a bidirectional network the bundle's own; see `engines.Engine`.

    All workers share one session. Each call runs on the thread of its caller.
    """

    name = "onnx"
    device = "cpu"
    batch_tokens = CPU_BATCH_TOKENS

    def __init__(
        self,
        classifier: Classifier,
        architecture: Architecture,
        *,
        threads: int | None,
        precision: Precision,
    ) -> None:
        self.workers = threads or usable_cores()
        self.precision = precision
        weights = classifier.weights
        self._vectors = weights.tensors[VECTORS]
        # Bidirectional networks cannot share beginnings. They run on ONNX's own operators.
        self._shares_beginnings = not architecture.bidirectional
        if self._shares_beginnings:
            self._table = TokenTable(architecture, weights.tensors)
            graph = build_step_graph(
                architecture, weights.tensors, self._table.widths, precision=precision
            )
            self._session = open_session(graph)
        else:
            self._session = open_session(classifier.graph, weights)

    def predict_logits(self, batch: MiniBatch) -> Float32Array:
        """Compute the logits of a mini-batch. Shape `(batch, labels)`."""
        if not self._shares_beginnings:
            token_ids = np.ascontiguousarray(batch.token_ids.T)
            whole = {"token_ids": token_ids, "lengths": batch.lengths, VECTORS: self._vectors}
            answer: Float32Array = self._session.run(["logits"], whole)[0]
            return answer
        tree = prefix_tree(batch)
        feeds = tree.feeds() | self._table.feeds(tree.tokens)
        (ended,) = self._session.run(["logits"], feeds)
        logits: Float32Array = np.empty_like(ended)
        # The graph gives the rows in the order in which they end.
        logits[np.argsort(batch.lengths, kind="stable")] = ended
        return logits
