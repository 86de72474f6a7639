"""How column names and types are shown: a file without a header line has data in their place.

Messages, reports and events never quote cells. The first line of a CSV file that lacks its header
is cells, so a name is shown only where it looks like a name; the others are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pyarrow as pa

from textbatch.errors import printable

#: The longest name that is shown whole, in characters.
SHOWN_CHARACTERS = 40
_SHOWN_NAMES = 20
#: More words are more likely a sentence than a name.
_NAME_WORDS, _SENTENCE_WORDS = 2, 5
_VALUE = re.compile(r"[-+]?[\d.,:/\sTZ%€$-]*\d[\d.,:/\sTZ%€$-]*|.*(?:@|://|\d{7}).*", re.DOTALL)
_SENTENCE_END = re.compile(r".*[.!?,;]|.*[.!?,;:]\s.*", re.DOTALL)


def shown(name: str) -> str:
    """A name in quotes for a message: cut, and its control characters escaped."""
    cut = name if len(name) <= SHOWN_CHARACTERS else f"{name[: SHOWN_CHARACTERS - 1]}…"
    return f"'{printable(cut)}'"


def looks_like_data(name: str) -> bool:
    """Whether a column's name is more likely a cell: a number, a date, an address, a sentence."""
    return _is_value(name) or len(name.split()) > _NAME_WORDS


def listed(names: Sequence[str], *, doubtful: bool = False) -> str:
    """The columns of a file for a message.

    Args:
        names: In their order.
        doubtful: Whether they may be the first row of data. One name that is surely none makes
            all of them doubtful.
    """
    doubtful = doubtful or any(map(_is_value, names))
    told = [] if doubtful else [shown(name) for name in names if not looks_like_data(name)]
    hidden = len(names) - len(told)
    more = max(0, len(told) - _SHOWN_NAMES)
    parts = told[:_SHOWN_NAMES] + ([f"{more:,} more"] if more else [])
    if hidden:
        parts.append(f"{hidden:,} whose {'name looks' if hidden == 1 else 'names look'} like data")
    return ", ".join(parts)


def repeated(names: Iterable[str]) -> str | None:
    """The first name that stands twice, in one pass: a file may have 100,000 columns."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def shown_type(kind: pa.DataType) -> str:
    """A type for a message; of a nested one only its sort, since its fields' names may be data."""
    if pa.types.is_dictionary(kind):
        return f"dictionary of {shown_type(kind.value_type)}"
    if pa.types.is_nested(kind):
        return str(kind).partition("<")[0]
    return str(kind)


def _is_value(name: str) -> bool:
    if not name:
        return False
    return (
        len(name) > SHOWN_CHARACTERS
        or not name.isprintable()
        or len(name.split()) > _SENTENCE_WORDS
        or _VALUE.fullmatch(name) is not None
        or _SENTENCE_END.fullmatch(name) is not None
    )
