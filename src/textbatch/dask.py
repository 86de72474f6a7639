"""Scores a DataFrame of Dask: `textbatch.dask.score`. The code is in `integrations/dask.py`."""

from textbatch.integrations.dask import Scorer, score

__all__ = ["Scorer", "score"]
