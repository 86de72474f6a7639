"""Engines: what runs the network. All compute the same logits from the same weights.

* `onnx`: ONNX Runtime, on the CPU.
* `chain`: ONNX Runtime, for chains of layers that were made with Keras.
* `cores`: how many cores this process may use.
* `padded`: ONNX Runtime, for recurrent networks that read padding as words.
* `onnx_session`: a session of ONNX Runtime.
* `keras`: Keras, for GPUs, and as the reference in tests.
* `loop_graph`: the ONNX graph that `onnx` runs: a loop over time.
* `loop_layers`, `loop_pooling`, `graph_builder`: the parts of this graph.
* `token_table`: the first layer's input product of each token.
* `prefix_tree`: equal beginnings of texts, which the loop computes once.
"""

from __future__ import annotations

from typing import Protocol, assert_never

from textbatch.errors import ConflictError, QualityGateError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.records import EarlyExit
from textbatch.model.choices import DeviceName, EngineName, Precision
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.chain import Chain
from textbatch.model.network.keras_backend import import_keras
from textbatch.text.bucketing import MiniBatch
from textbatch.types import Float32Array


class Engine(Protocol):
    """Runs the network on mini-batches. Several threads may call it at the same time.

    Attributes:
        name: The name that `--engine` has for it.
        device: What it runs on (`cpu` or `gpu`), for the report.
        precision: The value of `--precision`.
        workers: Number of calls at the same time at which it is fastest.
        batch_tokens: Number of padded tokens in a call at which it is fastest.
    """

    name: str
    device: str
    precision: Precision
    workers: int
    batch_tokens: int

    def predict_logits(self, batch: MiniBatch) -> Float32Array:
        """Compute the logits of a mini-batch, before calibration. Shape `(batch, labels)`."""
        ...


def open_engine(
    classifier: Classifier,
    *,
    name: EngineName = "auto",
    device: DeviceName = "auto",
    threads: int | None = None,
    precision: Precision = "f32",
) -> Engine:
    """Build the network in the engine that suits the device.

    Args:
        classifier: What answers.
        name: `auto` means ONNX Runtime on the CPU, and TensorFlow on a GPU.
        device: `auto` means the CPU, except if `name` is `tensorflow` and it sees a GPU.
        threads: Number of CPU threads; None means as many as this process may use.
        precision: Of the weights and products. `check_int8` says whether a bundle allows `int8`.

    Raises:
        ConflictError: A GPU is wanted and there is none, or int8 is wanted for a bidirectional
            network. Or a chain is to run on another engine than ONNX Runtime.
    """
    network = classifier.architecture
    if precision == "int8":
        _check_one_way(network)
    if isinstance(network, Chain):
        if name == "tensorflow" or device == "gpu":
            raise ConflictError(
                "a model with layers that only `textbatch import` reads runs on ONNX Runtime",
                "leave --engine and --device out",
            )
        from textbatch.model.engines.chain import ChainEngine
        from textbatch.model.engines.padded import PaddedEngine, padded_network

        if padded := padded_network(classifier, network):
            return PaddedEngine(padded, network.padding, threads=threads)
        return ChainEngine(classifier, network, threads=threads)
    # Each engine is imported only when chosen: TensorFlow alone takes seconds.
    if name == "tensorflow" or device == "gpu":
        import_keras(threads=threads)
        from textbatch.model.engines.keras import KerasEngine

        return KerasEngine(classifier, network, device=device)
    if name == "onnx" or name == "auto":
        from textbatch.model.engines.onnx import OnnxEngine

        return OnnxEngine(classifier, network, threads=threads, precision=precision)
    assert_never(name)


def check_int8(bundle: Bundle) -> None:
    """Check that a bundle may be scored in int8.

    Raises:
        ConflictError: The network is bidirectional; there is no int8 for it.
        QualityGateError: int8 changed too many labels when the bundle was made, or nobody
            compared.
    """
    _check_one_way(bundle.classifier.architecture)
    if bundle.int8 is None:
        raise QualityGateError(
            "nobody compared int8 with float32 when the model was made", "leave --precision out"
        )
    bundle.int8.check()


def early_exit_of(bundle: Bundle, precision: Precision) -> EarlyExit:
    """The early exit of a bundle.

    Args:
        bundle: A loaded bundle.
        precision: Of the network.

    Raises:
        QualityGateError: It has none, or too many labels changed when the bundle was made.
    """
    if bundle.early_exit is None:
        raise QualityGateError(
            "the model has no early exit: training found no rows that its linear model may answer "
            "alone, or it was trained before there was one",
            "leave --early-exit out, and use --precision int8 in the place of fast",
        )
    bundle.early_exit.check(precision)
    return bundle.early_exit


def _check_one_way(network: Architecture | Chain) -> None:
    if isinstance(network, Chain):
        raise ConflictError(
            "--precision int8 is not for layers that only `textbatch import` reads",
            "leave --precision out",
        )
    if network.bidirectional:
        raise ConflictError(
            "--precision int8 is for networks that read one way; this model is bidirectional",
            "leave --precision out, or train without --bidirectional",
        )
