"""How labels and models are shown to people, so that different ones look different."""

from __future__ import annotations

import os
import unicodedata

from textbatch.errors import printable

_LONGEST = 80


def shown_label(label: str) -> str:
    """Make a label for a table: one line, short, told apart from every other.

    It stands in quotes where its ends or its blanks would not be seen, and letters that are put
    together of several characters are escaped.
    """
    text = label if unicodedata.is_normalized("NFC", label) else ascii(label)[1:-1]
    text = printable(text)
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 1]}…"
    plain = label and label == " ".join(label.split()) and label[0] not in "'\""
    return text if plain else f"'{text}'"


def shown_model(path: str | os.PathLike[str]) -> str:
    """Make the path of a model for a heading: `model/`, which no reader takes for the word."""
    name = printable(os.fspath(path)).rstrip("/")
    return f"{name}/"
