"""Settings of the jobs: frozen, checked once, passed by value."""

from __future__ import annotations

from textbatch.config.choices import (
    AUGMENT_METHODS,
    CHUNK_BYTES,
    CHUNK_ROWS,
    CPU_BATCH_TOKENS,
    GPU_BATCH_TOKENS,
    MAX_LAYERS,
    MAX_UNITS,
    Algorithm,
    BlendMode,
    Cell,
    DeviceName,
    EngineName,
    IfExists,
    InputFormat,
    LogFormat,
    Pooling,
    Precision,
    Preset,
)
from textbatch.config.scoring import ScoreConfig
from textbatch.config.searching import AuditConfig, TuneConfig
from textbatch.config.training import TrainConfig
from textbatch.config.vectors import VectorsConfig

__all__ = [
    "AUGMENT_METHODS",
    "CHUNK_BYTES",
    "CHUNK_ROWS",
    "CPU_BATCH_TOKENS",
    "GPU_BATCH_TOKENS",
    "MAX_LAYERS",
    "MAX_UNITS",
    "Algorithm",
    "AuditConfig",
    "BlendMode",
    "Cell",
    "DeviceName",
    "EngineName",
    "IfExists",
    "InputFormat",
    "LogFormat",
    "Pooling",
    "Precision",
    "Preset",
    "ScoreConfig",
    "TrainConfig",
    "TuneConfig",
    "VectorsConfig",
]
