"""The Python interface: what the command line calls, with plain arguments."""

from __future__ import annotations

from textbatch.api.adopting import from_keras, normalize
from textbatch.api.paths import PathLike
from textbatch.api.scoring import evaluate, load, score
from textbatch.api.training import train, train_vectors

__all__ = [
    "PathLike",
    "evaluate",
    "from_keras",
    "load",
    "normalize",
    "score",
    "train",
    "train_vectors",
]
