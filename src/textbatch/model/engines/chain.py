"""The engine for chains of layers that were made with Keras: ONNX Runtime, on the CPU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from textbatch.model.bundle.classifier import Classifier
from textbatch.model.choices import CPU_BATCH_TOKENS, Precision
from textbatch.model.engines.cores import usable_cores
from textbatch.model.engines.onnx_session import VECTORS, open_session
from textbatch.model.engines.padded import padded_ids
from textbatch.model.network.chain import MAX_TEXT_VALUES, Chain
from textbatch.text.bucketing import MiniBatch
from textbatch.types import Float32Array, Int32Array

#: ONNX Runtime computes these with vectors of up to 16 numbers, and the numbers that are left over
#: one by one, which rounds differently. So rows come in multiples of 16.
_ROUNDED_APART = {"elu", "selu", "softplus", "exponential"}
_ROWS_STEP = 16


class ChainEngine:
    """Runs the bundle's own graph; see `engines.Engine`.

    Where layers see padding, each text has all steps, whatever the texts beside it.
    """

    name = "onnx"
    device = "cpu"
    batch_tokens = CPU_BATCH_TOKENS
    precision: Precision = "f32"

    def __init__(self, classifier: Classifier, chain: Chain, *, threads: int | None) -> None:
        self.workers = threads or usable_cores()
        self._chain = chain
        self._session = open_session(classifier.graph, classifier.weights)
        self._vectors = classifier.weights.tensors[VECTORS]
        self._inputs = [one.name for one in self._session.get_inputs()]
        self._widest = chain.widest
        activations = {layer.activation for layer in chain.layers}
        self._step = _ROWS_STEP if activations & _ROUNDED_APART else 1

    def predict_logits(self, batch: MiniBatch) -> Float32Array:
        """Compute the logits of a mini-batch. Shape `(batch, labels)`."""
        rows, steps = batch.token_ids.shape
        most = MAX_TEXT_VALUES // self._widest
        if self._chain.computes_padding:
            # A mini-batch is made for the tokens of its rows; computing padding takes more.
            steps, most = self._chain.max_sequence_length, min(most, CPU_BATCH_TOKENS)
        step = max(1, most // steps)
        parts = [
            self._run(batch.token_ids[at : at + step], batch.lengths[at : at + step])
            for at in range(0, rows, step)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _run(self, token_ids: Int32Array, lengths: Int32Array) -> Float32Array:
        rows = len(token_ids)
        places = np.minimum(np.arange(-(-rows // self._step) * self._step), rows - 1)
        token_ids, lengths = token_ids[places], lengths[places]
        feeds: dict[str, NDArray[np.generic]]
        feeds = {"token_ids": np.ascontiguousarray(token_ids.T), "lengths": lengths}
        feeds[VECTORS] = self._vectors
        if self._chain.computes_padding:
            steps, side = self._chain.max_sequence_length, self._chain.padding
            padded = padded_ids(token_ids, lengths, steps=steps, side=side)
            feeds["padded_ids"] = np.ascontiguousarray(padded.T)
        logits: Float32Array = self._session.run(
            ["logits"], {name: feeds[name] for name in self._inputs}
        )[0]
        return logits[:rows]
