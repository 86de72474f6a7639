"""Labels: as texts, whatever a file stores; and the spellings of one label."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from unicodedata import category, is_normalized, normalize

import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.readers.nested import is_text
from textbatch.data.readers.text_column import stored_type
from textbatch.errors import printable

#: A longer label is a text, in characters.
LONGEST_LABEL = 1000
#: A longer one is more likely a text, and is not named in messages: characters, words.
_LONGEST_NAMED, _MOST_WORDS = 40, 6
#: How many are named.
_NAMED = 10
#: Characters that nobody sees, beside those of the category Cf: joiners, fillers, forms.
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")
#: The tags that make the flags of England and Scotland are of that category, but are seen.
_FORMS, _TAGS = range(0xFE00, 0xFE10), range(0xE0020, 0xE0080)
#: A whole number that pandas made a float of, because a value was missing.
_WHOLE = re.compile(r"([-+]?\d+)\.0+")
#: What programs write for a missing value.
_MISSING = frozenset(
    ("nan", "NaN", "NAN", "null", "NULL", "Null", "None", "<NA>", "N/A", "n/a", "#N/A", "NaT")
)


def can_be_labels(kind: pa.DataType) -> bool:
    """Whether a type is one of texts, whole numbers, floats or truths, which have one plain text.

    Args:
        kind: Type of the column.
    """
    value = stored_type(kind)
    return is_text(value) or _is_plain(value)


def label_texts(column: pa.Array) -> pa.Array:
    """Write numbers and truths as CSV would hold them: `1`, `1.5`, `true`. Texts stay as they are.

    A float gets the fewest digits that tell it from all others, so that 1.0 is `1`: pandas makes
    floats of whole numbers where one is missing. NaN is null.

    Args:
        column: Values of a type that `can_be_labels`. Shape `(rows,)`.

    Returns:
        A column of texts. Shape `(rows,)`.
    """
    if not _is_plain(stored_type(column.type)):
        return column
    if isinstance(column, pa.ExtensionArray):
        return label_texts(column.storage)
    if pa.types.is_dictionary(column.type):
        return label_texts(column.dictionary).take(column.indices)
    if pa.types.is_floating(column.type):
        if pa.types.is_float16(column.type):
            column = column.cast(pa.float32())
        # Without this a missing label would be one of its own, `nan`.
        column = pc.if_else(pc.is_nan(column), None, column)
    return column.cast(pa.large_string())


def label_key(label: str) -> str:
    """What all spellings of one label share.

    It is the label without case, odd blanks, characters that nobody sees, forms of letters, and the
    decimals of a whole number: `1.0` is a spelling of `1`.
    """
    if not label.isascii():
        label = "".join(one for one in normalize("NFKC", label) if not _is_invisible(one))
    key = " ".join(label.casefold().split())
    return whole[1] if (whole := _WHOLE.fullmatch(key)) else key


def _is_invisible(character: str) -> bool:
    if character in _FILLERS or ord(character) in _FORMS:
        return True
    return category(character) == "Cf" and ord(character) not in _TAGS


def blank_as_null(labels: pa.Array) -> pa.Array:
    """Make null of labels that nobody sees: empty, or of blanks and invisible characters alone.

    CSV has no nulls, and such a cell is no label that anybody has given.

    Args:
        labels: Strings. Shape `(rows,)`.

    Returns:
        Strings. Shape `(rows,)`.
    """
    blank = {one: None for one in labels.unique().to_pylist() if one is not None and is_blank(one)}
    return renamed(labels, blank) if blank else labels


def is_blank(label: str) -> bool:
    """Whether a label is empty, or of blanks and characters that nobody sees."""
    begins = label.lstrip()[:1]
    # Quick, because in a wrong column there may be a million texts.
    return not begins or (not begins.isascii() and not label_key(label))


def reads_as_missing(labels: Iterable[str]) -> list[str]:
    """The labels that programs write for a missing value, as `nan` and `NULL`."""
    return [label for label in labels if label.strip() in _MISSING]


def labels_alike(labels: Iterable[str]) -> list[str]:
    """The labels that differ from another one only in what `label_key` leaves out."""
    given = list(labels)
    spelled = Counter(map(label_key, given))
    return [label for label in given if spelled[label_key(label)] > 1]


def spelling_groups(counts: Mapping[str, int]) -> list[dict[str, int]]:
    """The labels that are spellings of one, together, with their rows.

    Args:
        counts: Rows of each label.

    Returns:
        The groups, by key; in each the most frequent spelling first.
    """
    groups: dict[str, dict[str, int]] = {}
    for label in sorted(labels_alike(counts), key=lambda one: (label_key(one), -counts[one], one)):
        groups.setdefault(label_key(label), {})[label] = counts[label]
    return list(groups.values())


def spellings_of(counts: Mapping[str, int]) -> dict[str, str]:
    """The most frequent spelling of each label, by its key.

    Args:
        counts: Rows of each label.
    """
    found: dict[str, str] = {}
    # Of two spellings that are as frequent, the one without odd blanks.
    for label in sorted(counts, key=lambda one: (-counts[one], " ".join(one.split()) != one, one)):
        found.setdefault(label_key(label), label)
    return found


def spelled_otherwise(unknown: Mapping[str, int], known: Iterable[str]) -> str | None:
    """A warning about labels that are spellings of known ones; None if none is.

    Args:
        unknown: Labels that nothing knows, with their rows.
        known: The labels of the model.
    """
    keys = set(map(label_key, known))
    count = sum(rows for label, rows in unknown.items() if label_key(label) in keys)
    if not count:
        return None
    return (
        f"{count:,} rows have labels that differ from one of the model's only in upper case, "
        "blanks, invisible characters or the form of their letters: --normalize-labels takes them "
        "for it"
    )


def renamed(labels: pa.Array, names: Mapping[str, str | None]) -> pa.Array:
    """Give labels other names.

    Args:
        labels: Strings. Shape `(rows,)`.
        names: The new name of each label; None makes it null. Others stay.

    Returns:
        Strings. Shape `(rows,)`.
    """
    encoded = labels.dictionary_encode()
    new = [names.get(one, one) for one in encoded.dictionary.to_pylist()]
    return pa.array(new, labels.type).take(encoded.indices)


def respelled(labels: pa.Array, spellings: Mapping[str, str]) -> pa.Array:
    """Write labels as others that differ by case, blanks or the form of letters only.

    Args:
        labels: Strings. Shape `(rows,)`.
        spellings: The spelling of each key.

    Returns:
        Strings. Shape `(rows,)`.
    """
    known = labels.unique().to_pylist()
    return renamed(labels, {one: spellings.get(label_key(one), one) for one in known})


def named_labels(labels: Iterable[str], counts: Mapping[str, int]) -> str:
    """Name labels for a message, in quotes, with their rows; an empty text if they may be texts.

    Messages never quote cells, and a wrong column is taken for labels easily: so labels are named
    only where most of the rows share theirs with others, and only short ones.

    Args:
        labels: Some labels.
        counts: Rows of each label.
    """
    told = sorted(labels, key=lambda one: (label_key(one), one))
    if 2 * len(counts) > sum(counts.values()) or any(map(_may_be_text, told)):
        return ""
    shown = [f"{_quoted(one)} ({counts[one]:,})" for one in told[:_NAMED]]
    more = [f"{len(told) - _NAMED:,} more"] if len(told) > _NAMED else []
    return ", ".join(shown + more)


def _may_be_text(label: str) -> bool:
    return len(label) > _LONGEST_NAMED or len(label.split()) > _MOST_WORDS


def _quoted(label: str) -> str:
    return f"'{printable(label)}'" if is_normalized("NFKC", label) else ascii(label)


def _is_plain(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    )
