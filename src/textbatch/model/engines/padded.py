"""The engine for recurrent networks that were made with Keras without a mask.

They read padding as words. So padding is words here: each text has all steps, and the tree of equal
beginnings computes the padding before texts once for all of them, not once a text.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from textbatch.model.bundle.classifier import Classifier
from textbatch.model.choices import CPU_BATCH_TOKENS, Precision
from textbatch.model.engines.cores import usable_cores
from textbatch.model.engines.loop_graph import build_step_graph
from textbatch.model.engines.onnx_session import open_session
from textbatch.model.engines.prefix_tree import prefix_tree
from textbatch.model.engines.token_table import TokenTable
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.as_architecture import as_architecture
from textbatch.model.network.chain import Chain
from textbatch.text.bucketing import MiniBatch
from textbatch.text.choices import Side
from textbatch.text.vocabulary import PAD_ID
from textbatch.types import Float32Array, Int32Array, Int64Array

#: A network, and its tensors by name.
_Network = tuple[Architecture, dict[str, Float32Array]]


def padded_network(classifier: Classifier, chain: Chain) -> _Network | None:
    """The network whose words are also padding; None if it is no such one.

    Args:
        classifier: Has the weights.
        chain: The network.
    """
    if chain.mask_zero:
        return None
    found = as_architecture(replace(chain, mask_zero=True), classifier.weights.tensors)
    if found is None or found[0].bidirectional:
        return None
    return found


class PaddedEngine:
    """Runs the loop graph over padded texts; see `engines.Engine`.

    Args:
        network: What `padded_network` has found.
        padding: On which side texts are padded.
        threads: Number of threads; None for all cores.
    """

    name = "onnx"
    device = "cpu"
    batch_tokens = CPU_BATCH_TOKENS
    precision: Precision = "f32"

    def __init__(self, network: _Network, padding: Side, *, threads: int | None) -> None:
        self.workers = threads or usable_cores()
        architecture, tensors = network
        self._steps, self._padding = architecture.max_sequence_length, padding
        self._table = TokenTable(architecture, tensors)
        graph = build_step_graph(architecture, tensors, self._table.widths, precision="f32")
        self._session = open_session(graph)

    def predict_logits(self, batch: MiniBatch) -> Float32Array:
        """Compute the logits of a mini-batch. Shape `(batch, labels)`."""
        # Rows with much padding before them have more of it in common.
        order = np.arange(len(batch.lengths))
        if self._padding == "pre":
            order = np.argsort(batch.lengths, kind="stable")
        most = len(order)
        if self._padding == "post":
            # A mini-batch is made for the tokens of its rows; the padding behind them is more.
            most = max(1, CPU_BATCH_TOKENS // self._steps)
        parts = [self._run(batch, order[at : at + most]) for at in range(0, len(order), most)]
        logits = np.empty((len(order), parts[0].shape[1]), np.float32)
        logits[order] = np.concatenate(parts)
        return logits

    def _run(self, batch: MiniBatch, rows: Int64Array) -> Float32Array:
        lengths = batch.lengths[rows]
        padded = padded_ids(batch.token_ids[rows], lengths, steps=self._steps, side=self._padding)
        whole = MiniBatch(
            rows=rows, token_ids=padded, lengths=np.full(len(rows), self._steps, np.int32)
        )
        tree = prefix_tree(whole)
        feeds = tree.feeds() | self._table.feeds(tree.tokens)
        logits: Float32Array = self._session.run(["logits"], feeds)[0]
        return logits


def padded_ids(token_ids: Int32Array, lengths: Int32Array, *, steps: int, side: Side) -> Int32Array:
    """Token ids as Keras pads them. Shape `(batch, steps)`.

    Args:
        token_ids: Token ids from step 0 on. Shape `(batch, time)`.
        lengths: Tokens of each row. Shape `(batch,)`.
        steps: To how many tokens.
        side: On which side padding is.
    """
    padded = np.full((len(token_ids), steps), PAD_ID, np.int32)
    real = np.arange(token_ids.shape[1]) < lengths[:, None]
    first = (steps - lengths if side == "pre" else 0 * lengths)[:, None]
    rows, columns = np.nonzero(real)
    padded[rows, columns + np.broadcast_to(first, real.shape)[real]] = token_ids[real]
    return padded
