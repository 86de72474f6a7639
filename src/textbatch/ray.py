"""Scores a Dataset of Ray: `textbatch.ray.score`. The code is in `integrations/ray.py`."""

from textbatch.integrations.ray import Scorer, score

__all__ = ["Scorer", "score"]
