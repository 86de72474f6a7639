"""textbatch: trustworthy labels on text, in batch.

    import textbatch

    report = textbatch.train(["labelled.parquet"], model="model")
    report = textbatch.score("input.parquet", "out.parquet", model="model")
    with textbatch.load("model") as model:
        table = model.score_table(table)

Nothing heavy is imported until it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = ["Model", "TextbatchError", "__version__", "evaluate", "load", "score", "train"]

if TYPE_CHECKING:
    from textbatch.api import Model, evaluate, load, score, train
    from textbatch.errors import TextbatchError


def __getattr__(name: str) -> object:
    if name == "TextbatchError":
        from textbatch.errors import TextbatchError

        return TextbatchError
    if name in __all__:
        from textbatch import api

        return getattr(api, name)
    raise AttributeError(f"module 'textbatch' has no attribute '{name}'")
