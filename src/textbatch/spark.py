"""Scores a DataFrame of Spark: `textbatch.spark.score`. The code is in `integrations/spark.py`."""

from textbatch.integrations.spark import score

__all__ = ["score"]
