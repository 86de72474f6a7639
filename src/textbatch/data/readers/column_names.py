"""Shows column names and types in messages, but no data.

Messages, reports and events never quote cells. If a CSV file has no header line, its first row of
cells is taken for the names. So a name is shown only if it looks like a name. Others are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pyarrow as pa

from textbatch.errors import printable

#: Longer names are cut, in characters.
SHOWN_CHARACTERS = 40
_SHOWN_NAMES = 20
#: With more words it is more likely a sentence than a name.
_NAME_WORDS, _SENTENCE_WORDS = 2, 5
#: Numbers and dates, with an exponent or a unit of money; addresses, UUIDs and other long numbers.
_VALUE = re.compile(
    r"[-+]?[\d.,:/\sTZ%€$-]*\d[\d.,:/\sTZ%€$-]*(?:[eE][-+]?\d+)?"
    r"|.*(?:@|://|\d{7}|[\da-fA-F]{8}-[\da-fA-F]{4}-).*",
    re.DOTALL,
)
#: Of JSON, markup and formulas.
_SIGNS = re.compile(r"[{}\[\]<>=\"\\]")
#: Chinese and Japanese have no blank after these signs.
_SENTENCE_END = re.compile(r".*[.!?,;]|.*[.!?,;:]\s.*|.*[。！？，；、].*", re.DOTALL)


def shown(name: str) -> str:
    """Put a name in quotes for a message: cut, with control characters escaped."""
    cut = name if len(name) <= SHOWN_CHARACTERS else f"{name[: SHOWN_CHARACTERS - 1]}…"
    return f"'{printable(cut)}'"


def looks_like_data(name: str) -> bool:
    """Whether a name is more likely a cell: a number, a date, an address or a sentence."""
    return _is_value(name) or len(name.split()) > _NAME_WORDS


def listed(names: Sequence[str], *, doubtful: bool = False) -> str:
    """List the columns of a file for a message.

    Args:
        names: Their names, in order.
        doubtful: Whether they may be the first row of data. If one of them is surely no name, all
            are doubtful.
    """
    doubtful = doubtful or one_is_data(names)
    told = [] if doubtful else [shown(name) for name in names if not looks_like_data(name)]
    hidden = len(names) - len(told)
    more = max(0, len(told) - _SHOWN_NAMES)
    parts = told[:_SHOWN_NAMES] + ([f"{more:,} more"] if more else [])
    if hidden:
        parts.append(f"{hidden:,} whose {'name looks' if hidden == 1 else 'names look'} like data")
    return ", ".join(parts)


def one_is_data(names: Iterable[str]) -> bool:
    """Whether one of the names is surely a cell: then all of them may be the first row of data."""
    return any(map(_is_value, names))


def repeated(names: Iterable[str]) -> str | None:
    """The first name that is there twice; None without one. Fast, as there may be 100,000."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def case_twins(names: Iterable[str]) -> list[str]:
    """The names that differ from another one by case only, which DuckDB and Spark ignore."""
    spellings: dict[str, list[str]] = {}
    for name in names:
        spellings.setdefault(name.casefold(), []).append(name)
    return [name for same in spellings.values() if len(same) > 1 for name in same]


def shown_type(kind: pa.DataType) -> str:
    """A type for a message. Of a nested type only its kind, as names of fields may be data."""
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
        or _SIGNS.search(name) is not None
        or _SENTENCE_END.fullmatch(name) is not None
    )
