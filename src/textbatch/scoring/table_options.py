"""The options of the function `score` for a table in memory."""

from __future__ import annotations

from textbatch.model.options import ModelsOptions
from textbatch.options import options
from textbatch.scoring.config import TableOptions


@options
class ScoreTablesOptions(TableOptions, ModelsOptions):
    """Which models answer the table, and what is added to it."""
