"""Other runtimes on the same weights, and another model class."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pyarrow.parquet as pq

from benchmarks.engine import Engine, Job, PaddedEngine
from benchmarks.engines_keras import words_of
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.layout import LAYOUT
from textbatch.types import Float32Array, Int32Array


class OnnxPadded(PaddedEngine):
    """The bundle's own graph, run plainly: ONNX Runtime's own choice of threads."""

    key, title = "onnx-padded", "ONNX Runtime, padded, unsorted, batch 256"

    def build(self, bundle: Bundle, job: Job) -> None:
        """Load the graph from the bundle."""
        self._session = onnxruntime.InferenceSession(
            job.model / LAYOUT.graph, providers=["CPUExecutionProvider"]
        )

    def logits(self, token_ids: Int32Array, lengths: Int32Array) -> Float32Array:
        """One call."""
        feeds = {"token_ids": np.ascontiguousarray(token_ids.T), "lengths": lengths}
        return self._session.run(["logits"], feeds)[0]


class OnnxPaddedLarge(OnnxPadded):
    """The same in larger mini-batches, as one would choose for throughput."""

    key, title = "onnx-padded-1024", "ONNX Runtime, padded, unsorted, batch 1,024"
    batch_size = 1024


class TorchPacked(PaddedEngine):
    """PyTorch's GRU and LSTM on packed sequences."""

    key, title = "torch", "PyTorch, packed, batch 256"
    module = package = "torch"
    tolerance = 1e-5

    def build(self, bundle: Bundle, job: Job) -> None:
        """Copy the weights, gates in PyTorch's order."""
        import torch

        sizes, tensors = bundle.classifier.architecture, bundle.classifier.weights.tensors
        if not sizes.reset_after:
            raise ValueError("torch.nn.GRU knows reset_after only")
        if [layer.name for layer in sizes.stack()] != ["gru", "lstm"] or sizes.bidirectional:
            raise ValueError("this peer knows one GRU and one LSTM that read one way")
        first, second = sizes.stack()
        gru = torch.nn.GRU(first.inputs, first.units, batch_first=True)
        # ONNX stacks update, reset, hidden and i, o, f, c; PyTorch r, z, n and i, f, g, o.
        _fill(gru, tensors, "gru", (1, 0, 2))
        lstm = torch.nn.LSTM(second.inputs, second.units, batch_first=True)
        _fill(lstm, tensors, "lstm", (0, 2, 3, 1))
        self._torch, self._gru, self._lstm = torch, gru, lstm
        self._poolings = sizes.poolings
        self._embedding, *self._dense = (
            torch.from_numpy(tensors[name].copy())
            for name in ("embedding", "dense.W", "dense.B", "logits.W", "logits.B")
        )

    def logits(self, token_ids: Int32Array, lengths: Int32Array) -> Float32Array:
        """Pack, run, and pool the LSTM's states."""
        torch = self._torch
        with torch.inference_mode():
            vectors = torch.nn.functional.embedding(torch.from_numpy(token_ids), self._embedding)
            packed = torch.nn.utils.rnn.pack_padded_sequence(
                vectors, torch.from_numpy(lengths), batch_first=True, enforce_sorted=False
            )
            states, (last, _) = self._lstm(self._gru(packed)[0])
            dense, dense_bias, out, out_bias = self._dense
            pooled = last[0] if self._poolings == ("last",) else self._pooled(states, last[0])
            features = torch.relu(torch.addmm(dense_bias, pooled, dense))
            return torch.addmm(out_bias, features, out).numpy()

    def _pooled(self, packed, last):
        torch = self._torch
        states, lengths = torch.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
        past_end = torch.arange(states.shape[1])[None, :] >= lengths[:, None]
        parts = {
            "last": last,
            "mean": states.sum(dim=1) / lengths[:, None],
            "max": states.masked_fill(past_end[:, :, None], -2.0).amax(dim=1),
        }
        return torch.cat([parts[kind] for kind in self._poolings], dim=1)


def _fill(layer, tensors, name: str, order: tuple[int, ...]) -> None:
    import torch

    def ordered(array: Float32Array):
        gates = np.split(array, len(order))
        return torch.from_numpy(np.concatenate([gates[gate] for gate in order]))

    input_bias, recurrent_bias = np.split(tensors[f"{name}.B"][0], 2)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(ordered(tensors[f"{name}.W"][0]))
        layer.weight_hh_l0.copy_(ordered(tensors[f"{name}.R"][0]))
        layer.bias_ih_l0.copy_(ordered(input_bias))
        layer.bias_hh_l0.copy_(ordered(recurrent_bias))


class OpenVino(PaddedEngine):
    """OpenVINO on the bundle's graph, as it comes: in the precision that suits the processor."""

    key, title = "openvino", "OpenVINO, padded, batch 256"
    module = package = "openvino"
    tolerance = 1e-3
    precision = ""

    def build(self, bundle: Bundle, job: Job) -> None:
        """Compile the graph."""
        import openvino

        core = openvino.Core()
        hints = {"PERFORMANCE_HINT": "THROUGHPUT"}
        if self.precision:
            hints["INFERENCE_PRECISION_HINT"] = self.precision
        self._model = core.compile_model(core.read_model(job.model / LAYOUT.graph), "CPU", hints)

    def logits(self, token_ids: Int32Array, lengths: Int32Array) -> Float32Array:
        """One call."""
        feeds = {"token_ids": np.ascontiguousarray(token_ids.T), "lengths": lengths}
        return self._model(feeds)["logits"]


class OpenVinoEqualLengths(OpenVino):
    """OpenVINO made right: in f32, and without padding, since it does not stop at a row's end."""

    key, title = "openvino-equal", "OpenVINO f32, rows of equal length, up to 256"
    precision = "f32"

    def run(self) -> None:
        """Answer the rows of one length after the other."""
        for length in np.unique(self._lengths):
            rows = np.flatnonzero(self._lengths == length)
            for start in range(0, len(rows), self.batch_size):
                part = rows[start : start + self.batch_size]
                self._answers[part] = self.logits(
                    self._token_ids[part, :length], self._lengths[part]
                )


class FastText(Engine):
    """fastText `predict-prob`: a bag of words, the floor of what labels cost."""

    key, title, covers = "fasttext", "fastText predict-prob (another model)", "texts → labels"
    module, package = "fasttext", "fasttext-wheel"

    def prepare(self, job: Job) -> None:
        """Train on the data set's training rows."""
        import fasttext

        lines = job.folder / "fasttext.txt"
        rows = pq.read_table(job.training, columns=["text", "label"]).to_pylist()
        ids = {label: str(index) for index, label in enumerate({row["label"] for row in rows})}
        with lines.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(f"__label__{ids[row['label']]} {' '.join(words_of(row['text']))}\n")
        self._model = fasttext.train_supervised(str(lines), verbose=0)
        self._texts = job.texts().to_pylist()

    def run(self) -> None:
        """Split and predict."""
        self._model.predict([" ".join(words_of(text)) for text in self._texts])
