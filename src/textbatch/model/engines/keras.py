"""Keras, on its TensorFlow backend: the reference on the CPU, and the engine for GPUs."""

from __future__ import annotations

import numpy as np

from textbatch.batch import Float32Array
from textbatch.config import DeviceName
from textbatch.errors import ConflictError
from textbatch.model.backend import import_tensorflow
from textbatch.model.bundle import Bundle
from textbatch.text.bucketing import MiniBatch
from textbatch.text.vocabulary import PAD_ID

#: Sequence lengths are padded up to a multiple of this, so that few shapes are compiled.
WIDTH_STEP = 16


class KerasEngine:
    """The network rebuilt by our own code from the bundle's weights; see `engines.Engine`."""

    name = "tensorflow"
    workers = 1

    def __init__(self, bundle: Bundle, *, device: DeviceName, threads: int | None) -> None:
        """Build the network on a device.

        Raises:
            ConflictError: A GPU was asked for and TensorFlow sees none.
        """
        tensorflow = import_tensorflow(threads=threads)
        gpus = tensorflow.config.list_physical_devices("GPU")
        if device == "gpu" and not gpus:
            raise ConflictError(
                "--device gpu, but TensorFlow sees no GPU here",
                "check the driver and tensorflow[and-cuda], or use --device cpu",
            )
        self.device = "gpu" if gpus and device != "cpu" else "cpu"
        from textbatch.model.network import build_network, write_tensors

        with tensorflow.device(f"/{self.device}:0"):
            self._network = build_network(bundle.architecture)
            write_tensors(self._network, bundle.architecture, bundle.weights.tensors)
        self._device = tensorflow.device

    def predict_logits(self, batch: MiniBatch) -> Float32Array:
        """Logits of a mini-batch. Shape `(batch, labels)`."""
        width = -(-batch.token_ids.shape[1] // WIDTH_STEP) * WIDTH_STEP
        shape = (len(batch.rows), width)
        token_ids = np.full(shape, PAD_ID, np.int32)
        token_ids[:, : batch.token_ids.shape[1]] = batch.token_ids
        with self._device(f"/{self.device}:0"):
            return np.asarray(self._network.predict_on_batch(token_ids), np.float32)
