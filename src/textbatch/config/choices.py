"""What settings may be, and their defaults that other rooms share."""

from __future__ import annotations

from typing import Literal

BlendMode = Literal["auto", "off"]
Algorithm = Literal["word2vec", "fasttext"]
Preset = Literal["default", "seed", "large"]
Cell = Literal["gru", "lstm"]
#: Pooling over a text's own tokens, never its padding; several stand side by side.
Pooling = Literal["last", "mean", "max", "last+mean", "last+max", "mean+max", "last+mean+max"]
EngineName = Literal["auto", "onnx", "tensorflow"]
Precision = Literal["f32", "int8"]
DeviceName = Literal["auto", "cpu", "gpu"]
InputFormat = Literal["auto", "parquet", "csv", "jsonl"]
LogFormat = Literal["text", "json"]
IfExists = Literal["fail", "replace", "skip"]

#: Caps on the recurrent layers, in bundles and flags alike.
MAX_LAYERS, MAX_UNITS = 8, 4096

#: Ways to augment training texts, in the order in which they are told.
AUGMENT_METHODS = ("templates", "synonyms", "neighbours", "swap", "delete", "typos")

#: Rows held in memory at a time: enough that sorting by length leaves little padding.
CHUNK_ROWS = 16_384
#: Bytes of a chunk, which long texts reach before its rows do.
CHUNK_BYTES = 16 << 20
#: Padded tokens in a mini-batch: enough to keep the matrix products busy, and no more.
CPU_BATCH_TOKENS = 8192
GPU_BATCH_TOKENS = 262_144
