"""The engine Keras: for GPUs, and as the reference in tests.

It runs on TensorFlow, or on the backend that `KERAS_BACKEND` names.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import keras
import numpy as np

from textbatch.errors import ConflictError, OutOfMemoryError
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.choices import CPU_BATCH_TOKENS, GPU_BATCH_TOKENS, DeviceName, Precision
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.keras_network import build_network, write_tensors
from textbatch.text.bucketing import MiniBatch
from textbatch.text.vocabulary import OOV_ID, PAD_ID
from textbatch.types import Float32Array, Int32Array

#: Sequence lengths and row counts are padded to multiples of these, so that few shapes are
#: compiled.
_WIDTH_STEP, _ROWS_STEP = 16, 64
#: The out-of-memory errors of the backends differ in type. Their texts hold one of these.
_MEMORY_WORDS = ("out of memory", "resource_exhausted", "resourceexhausted", "oom when")


class KerasEngine:
    """The network, built anew from the bundle's weights; see `engines.Engine`.

    It fits cuDNN: padding on the right, `reset_after`, and no row without a token.
    """

    name = "tensorflow"
    precision: Precision = "f32"
    workers = 1

    def __init__(
        self, classifier: Classifier, architecture: Architecture, *, device: DeviceName
    ) -> None:
        """Build the network on a device.

        Args:
            classifier: What answers.
            architecture: Its network.
            device: `auto` means a GPU if there is one.

        Raises:
            ConflictError: A GPU is wanted and Keras's backend sees none.
        """
        gpus = _gpus()
        if device == "gpu" and not gpus:
            raise ConflictError(
                f"--device gpu, but {keras.backend.backend()} sees no GPU here",
                "check the driver and tensorflow[and-cuda], or use --device cpu",
            )
        self.device = "gpu" if gpus and device != "cpu" else "cpu"
        self.batch_tokens = GPU_BATCH_TOKENS if self.device == "gpu" else CPU_BATCH_TOKENS
        self._max_rows: int | None = None
        with _on(self.device):
            self._network = build_network(architecture)
            write_tensors(self._network, architecture, classifier.weights.tensors)

    def predict_logits(self, batch: MiniBatch) -> Float32Array:
        """Compute the logits of a mini-batch. Shape `(batch, labels)`.

        If memory runs out, the mini-batch is halved until it fits. It stays small for the rest of
        the run. This changes no answer, since the answer of a row does not depend on its
        mini-batch.

        Raises:
            OutOfMemoryError: Not even one row fits.
        """
        rows = len(batch.token_ids)
        while True:
            step = min(rows, self._max_rows or rows)
            try:
                parts = [
                    self._run(batch.token_ids[start : start + step])
                    for start in range(0, rows, step)
                ]
                return np.concatenate(parts)
            except Exception as error:
                if not _is_out_of_memory(error):
                    raise
                if step == 1:
                    raise OutOfMemoryError(
                        "the device has no memory left for a mini-batch of one row",
                        "free memory, or use --device cpu",
                    ) from None
                self._max_rows = step // 2

    def _run(self, token_ids: Int32Array) -> Float32Array:
        rows, width = token_ids.shape
        # A small mini-batch keeps its number of rows. A large one is filled up with rows of one
        # token, because a row without tokens would crash cuDNN.
        wanted = rows if rows < _ROWS_STEP else -(-rows // _ROWS_STEP) * _ROWS_STEP
        padded = np.full((wanted, -(-width // _WIDTH_STEP) * _WIDTH_STEP), PAD_ID, np.int32)
        padded[rows:, 0] = OOV_ID
        padded[:rows, :width] = token_ids
        with _on(self.device):
            return np.asarray(self._network.predict_on_batch(padded)[:rows], np.float32)


def _gpus() -> int:
    """The number of GPUs that Keras's backend sees."""
    if keras.backend.backend() == "torch":  # Keras lists no GPUs for torch
        import torch

        return int(torch.cuda.device_count())
    try:
        return len(keras.distribution.list_devices("gpu"))
    except RuntimeError:  # JAX without a GPU
        return 0


def _on(device: str) -> AbstractContextManager[object]:
    if keras.backend.backend() == "torch":
        # With torch, Keras cannot build recurrent layers in a scope. It uses the GPU if there is
        # one.
        return nullcontext()
    scope: AbstractContextManager[object] = keras.device(f"{device}:0")
    return scope


def _is_out_of_memory(error: Exception) -> bool:
    told = f"{type(error).__name__} {error}".lower()
    return isinstance(error, MemoryError) or any(word in told for word in _MEMORY_WORDS)
