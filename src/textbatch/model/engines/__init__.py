"""What runs the network. Both engines compute the same logits from the same weights."""

from __future__ import annotations

from typing import Protocol

from textbatch.errors import ConflictError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.choices import DeviceName, EngineName, Precision
from textbatch.model.network.keras_backend import import_keras
from textbatch.text.bucketing import MiniBatch
from textbatch.types import Float32Array


class Engine(Protocol):
    """Runs the network on mini-batches; safe to call from several threads.

    Attributes:
        name: As `--engine` names it.
        device: What it runs on, for the report.
        precision: As `--precision` names it.
        workers: How many calls at a time make it fastest.
        batch_tokens: How many padded tokens in a call make it fastest.
    """

    name: str
    device: str
    precision: Precision
    workers: int
    batch_tokens: int

    def predict_logits(self, batch: MiniBatch) -> Float32Array:
        """Logits of a mini-batch, before calibration. Shape `(batch, labels)`."""
        ...


def open_engine(
    bundle: Bundle,
    *,
    name: EngineName = "auto",
    device: DeviceName = "auto",
    threads: int | None = None,
    precision: Precision = "f32",
) -> Engine:
    """Build the network in the engine that suits the device.

    Args:
        bundle: The model.
        name: `auto` takes ONNX Runtime on the CPU and TensorFlow on a GPU.
        device: `auto` stays on the CPU unless TensorFlow is asked for and sees a GPU.
        threads: CPU threads; None for as many as this process may use.
        precision: `int8` only where the bundle's own measurement allows it.

    Raises:
        ConflictError: A GPU was asked for and there is none, or int8 for a network that reads
            both ways.
        QualityGateError: int8 changed too many labels when the bundle was made.
    """
    if precision == "int8":
        check_int8(bundle)
    # Each engine is imported only when chosen: TensorFlow alone takes seconds.
    if name == "tensorflow" or device == "gpu":
        import_keras(threads=threads)
        from textbatch.model.engines.keras import KerasEngine

        return KerasEngine(bundle, device=device)
    from textbatch.model.engines.onnx import OnnxEngine

    return OnnxEngine(bundle, threads=threads, precision=precision)


def check_int8(bundle: Bundle) -> None:
    """Refuse int8 where there is none, and where it changes too much.

    Raises:
        ConflictError: The network reads both ways, for which there is no int8.
        QualityGateError: int8 changed too many labels when the bundle was made.
    """
    if bundle.architecture.bidirectional:
        raise ConflictError(
            "--precision int8 is for networks that read one way; this model is bidirectional",
            "leave --precision out, or train without --bidirectional",
        )
    bundle.int8.check()
