"""The one way to write JSON. It is apart from what reads it, which is slower to import."""

from __future__ import annotations

import json
import math
from typing import Any


def json_text(value: object, *, indent: int | None = None, ascii_only: bool = False) -> str:
    """Write JSON that every reader takes, and that a terminal shows as it is.

    What is no number becomes null. Characters that `errors.printable` escapes become JSON's own
    escapes, as half surrogates do, so that it can always be encoded and read back.

    Args:
        value: Dictionaries, lists, texts and numbers.
        indent: Spaces for each level; None writes one line.
        ascii_only: Whether to escape all that is not ASCII.
    """
    text = json.dumps(_numbers(value), indent=indent, ensure_ascii=ascii_only, allow_nan=False)
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _numbers(value: Any) -> Any:  # noqa: ANN401
    """The value with None for NaN and infinity."""
    if isinstance(value, dict):
        return {key: _numbers(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_numbers(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
