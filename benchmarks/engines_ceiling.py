"""The ceiling: how fast the network's arithmetic could be done, and nothing else."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks.engine import Engine, Job
from benchmarks.engines_textbatch import Bare
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.network.architecture import Architecture


class Ceiling(Engine):
    """As many operations as the network needs for the real tokens, as plain f32 products.

    Of the network's own products, the one that this machine does fastest.
    """

    key, title, covers = "ceiling", "matrix products alone", "f32 products"

    def prepare(self, job: Job) -> None:
        """Count the operations, and find the fastest product."""
        bare = Bare()
        bare.prepare(job)
        tokens = sum(int(batch.lengths.sum()) for batch in bare.batches)
        rows = sum(len(batch.rows) for batch in bare.batches)
        architecture = load_bundle(job.model).classifier.architecture
        self._operations = tokens * per_token(architecture) + rows * per_row(architecture)
        self._workers, together = bare.engine.workers, bare.engine.batch_tokens
        shapes = product_shapes(architecture, together, together * rows // tokens)
        candidates = [Product(*shape) for shape in shapes]
        self._product = max(candidates, key=lambda product: product.rate(self._workers))

    def run(self) -> None:
        """Multiply until the count is reached."""
        each = -(-self._operations // (self._product.operations * self._workers))
        with ThreadPoolExecutor(self._workers) as pool:
            for _ in pool.map(self._product.repeat, [each] * self._workers):
                pass


def per_token(sizes: Architecture) -> int:
    """Multiplications and additions of the recurrent layers for one token."""
    return sum(
        2 * sizes.directions * (layer.inputs + layer.units) * layer.gates for layer in sizes.stack()
    )


def per_row(sizes: Architecture) -> int:
    """Multiplications and additions of the dense layers for one row."""
    return 2 * sizes.dense_units * (sizes.pooled_width + sizes.num_labels)


def product_shapes(sizes: Architecture, tokens: int, rows: int) -> list[tuple[int, int, int]]:
    """Rows, inner size and columns of the products that a mini-batch goes through."""
    return [
        shape
        for layer in sizes.stack()
        for shape in ((tokens, layer.inputs, layer.gates), (rows, layer.units, layer.gates))
    ]


class Product:
    """`(rows, inner) @ (inner, columns)` in ONNX Runtime, one thread a call."""

    def __init__(self, rows: int, inner: int, columns: int) -> None:
        self.operations = 2 * rows * inner * columns
        random = np.random.default_rng(0)
        weights = random.random((inner, columns), np.float32)
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["x", "w"], ["y"])],
            "product",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, inner])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [rows, columns])],
            [numpy_helper.from_array(weights, "w")],
        )
        model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._feeds = {"x": random.random((rows, inner), np.float32)}

    def repeat(self, times: int) -> None:
        """Multiply again and again."""
        for _ in range(times):
            self._session.run(None, self._feeds)

    def rate(self, workers: int) -> float:
        """Operations per second, the best of a few short trials."""
        times = 1 + 200_000_000 // self.operations
        seconds = []
        with ThreadPoolExecutor(workers) as pool:
            for _ in range(5):
                started = time.perf_counter()
                list(pool.map(self.repeat, [times] * workers))
                seconds.append(time.perf_counter() - started)
        return times * workers * self.operations / min(seconds)
