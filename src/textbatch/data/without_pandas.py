"""Keeps Arrow from importing pandas, where a process has no frames."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder


class _Refused(MetaPathFinder):
    def find_spec(self, name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("no frames here", name=name)


def keep_pandas_out() -> None:
    """Let Arrow take pandas for missing, in this process and from now on.

    Arrow imports it at the first conversion, only to see that a list is no frame: that takes longer
    than to load a model. Others can import pandas as before, but Arrow no longer takes its columns,
    so call this only in a process of our own.
    """
    if "pandas" in sys.modules:
        return
    import pyarrow as pa

    refused = _Refused()
    sys.meta_path.insert(0, refused)
    try:
        pa.array([])  # Arrow looks for pandas once
    finally:
        sys.meta_path.remove(refused)
