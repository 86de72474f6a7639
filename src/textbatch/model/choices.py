"""What a network and what runs it may be, and their bounds."""

from __future__ import annotations

from typing import Literal

Algorithm = Literal["word2vec", "fasttext"]
Cell = Literal["gru", "lstm"]
#: Pooling over a text's own tokens, never its padding; several stand side by side.
Pooling = Literal["last", "mean", "max", "last+mean", "last+max", "mean+max", "last+mean+max"]
EngineName = Literal["auto", "onnx", "tensorflow"]
Precision = Literal["f32", "int8"]
#: `fast` is int8, and early exit.
PrecisionName = Literal["f32", "int8", "fast"]
DeviceName = Literal["auto", "cpu", "gpu"]
#: Caps on the recurrent layers, in bundles and flags alike.
MAX_LAYERS, MAX_UNITS = 8, 4096
#: The largest vocabulary. Its words take 260 bytes each in memory.
MAX_VOCABULARY = 1_000_000
#: Padded tokens in a mini-batch: enough to keep the matrix products busy, and no more.
CPU_BATCH_TOKENS = 8192
GPU_BATCH_TOKENS = 262_144
#: What a model can be exported as.
ExportFormat = Literal["onnx", "keras", "saved-model", "mlflow"]
