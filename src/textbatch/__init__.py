"""textbatch: trustworthy labels on text, in batch.

    import textbatch

    report = textbatch.train(["labelled.parquet"], model="model")
    report = textbatch.score("input.parquet", "out.parquet", model="model")
    table = textbatch.score(table, model="model")

    frame = textbatch.spark.score(frame, "model")  # and textbatch.ray, textbatch.dask

Nothing heavy is imported until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "Model",
    "TextbatchError",
    "__version__",
    "audit",
    "calibrate",
    "diff",
    "evaluate",
    "export",
    "from_keras",
    "import_keras",
    "load",
    "normalize",
    "profile",
    "promote",
    "review",
    "rollback",
    "score",
    "train",
    "train_vectors",
    "tune",
]

if TYPE_CHECKING:
    from textbatch import dask as dask
    from textbatch import ray as ray
    from textbatch import spark as spark
    from textbatch.errors import TextbatchError
    from textbatch.scoring.api import score
    from textbatch.scoring.compare_api import calibrate, diff, profile, review
    from textbatch.scoring.evaluate_api import evaluate
    from textbatch.scoring.in_memory import Model
    from textbatch.scoring.loading import load
    from textbatch.scoring.model_api import export, promote, rollback
    from textbatch.text.normalization import normalize
    from textbatch.training.api import train, train_vectors
    from textbatch.training.from_keras import from_keras, import_keras
    from textbatch.training.search_api import audit, tune


_HOMES = {
    "Model": "textbatch.scoring.in_memory",
    "TextbatchError": "textbatch.errors",
    "audit": "textbatch.training.search_api",
    "calibrate": "textbatch.scoring.compare_api",
    "diff": "textbatch.scoring.compare_api",
    "evaluate": "textbatch.scoring.evaluate_api",
    "export": "textbatch.scoring.model_api",
    "from_keras": "textbatch.training.from_keras",
    "import_keras": "textbatch.training.from_keras",
    "load": "textbatch.scoring.loading",
    "normalize": "textbatch.text.normalization",
    "profile": "textbatch.scoring.compare_api",
    "promote": "textbatch.scoring.model_api",
    "review": "textbatch.scoring.compare_api",
    "rollback": "textbatch.scoring.model_api",
    "score": "textbatch.scoring.api",
    "train": "textbatch.training.api",
    "train_vectors": "textbatch.training.api",
    "tune": "textbatch.training.search_api",
}
#: Modules for engines that spread rows over machines.
_ENGINES = ("dask", "ray", "spark")


def __getattr__(name: str) -> object:
    if name in _ENGINES:
        return import_module(f"textbatch.{name}")
    if name not in __all__:
        raise AttributeError(f"module 'textbatch' has no attribute '{name}'")
    try:
        return getattr(import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        from textbatch.errors import MissingExtraError

        library = str(error.name).split(".")[0]
        if library == "textbatch":
            raise
        raise MissingExtraError(f"textbatch.{name}", library, "train") from error


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ENGINES})
