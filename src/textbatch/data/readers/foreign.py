"""Recognises files that are not text by their first bytes, and says what to do with them."""

from __future__ import annotations

import re

from textbatch.errors import DataError

#: Number of first bytes of a file that are looked at.
HEAD_BYTES = 512

_UNPACK = "unpack it first"
_COLUMNS = "write it as Parquet, CSV or JSON Lines"
_SHEET = "save it as 'CSV UTF-8' there, and give that file"
_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word file", _SHEET),
    (b"BZh", "a bzip2 archive", f"{_UNPACK} with bunzip2, or pack it with gzip"),
    (b"\xfd7zXZ\0", "an xz archive", f"{_UNPACK} with unxz, or pack it with gzip"),
    (b"\x1f\x8b", "a gzip archive", "let its name end with .gz"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "let its name end with .zst"),
    (b"\x04\x22\x4d\x18", "an lz4 archive", f"{_UNPACK} with lz4 -d"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"PAR1", "a Parquet file", "give --format parquet, or let its name end with .parquet"),
    (b"ORC", "an ORC file", _COLUMNS),
    (b"Obj\x01", "an Avro file", _COLUMNS),
    (b"ARROW1", "an Arrow file", _COLUMNS),
    (b"FEA1", "a Feather file", _COLUMNS),
    (b"SQLite format 3\0", "an SQLite database", _COLUMNS),
    (b"%PDF-", "a PDF document", _COLUMNS),
    (b"\x93NUMPY", "a numpy file", _COLUMNS),
)
_NAMES = {
    ".xlsx": ("a spreadsheet", _SHEET),
    ".xls": ("a spreadsheet", _SHEET),
    ".ods": ("a spreadsheet", _SHEET),
    ".zip": ("a zip archive", f"{_UNPACK} with unzip, or pack it with gzip"),
    ".bz2": ("a bzip2 archive", f"{_UNPACK} with bunzip2, or pack it with gzip"),
    ".xz": ("an xz archive", f"{_UNPACK} with unxz, or pack it with gzip"),
    ".7z": ("a 7-Zip archive", _UNPACK),
    ".tar": ("a tar archive", _UNPACK),
    ".tgz": ("a tar archive", _UNPACK),
    ".json": ("JSON", "give --format jsonl if it holds one JSON object a line"),
}
#: Bytes that text does not have. "ORC" and "BZh" are also beginnings of words, "%PDF-" is not.
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]|[\x80-\xff]")
_PICKLE = re.compile(rb"\x80[\x02-\x05][\x95c}\]\(q]")
_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml)\b", re.IGNORECASE)
_SHEETS = (b"[Content_Types].xml", b"xl/", b"opendocument.spreadsheet")


def check_is_text(head: bytes, file: object) -> None:
    """Check the beginning of a file: it can be CSV or JSON Lines.

    Args:
        head: Its first `HEAD_BYTES`, unpacked if its name says that it is packed.
        file: The file, for messages.

    Raises:
        DataError: It is another kind of file, which the message names.
    """
    if found := _kind(head):
        what, remedy = found
        raise DataError(f"{file} is {what}, no text", remedy)


def unknown_format(file: object, suffix: str) -> DataError | None:
    """Make the error for a suffix of a format that cannot be read; None for other suffixes.

    Args:
        file: The file, for the message.
        suffix: Its suffix, in lower case.
    """
    if suffix not in _NAMES:
        return None
    what, remedy = _NAMES[suffix]
    return DataError(f"{file} is {what} by its name, which cannot be read as it is", remedy)


def _kind(head: bytes) -> tuple[str, str] | None:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        if any(name in head for name in _SHEETS):
            return "a spreadsheet", _SHEET
        return "a zip archive", f"{_UNPACK} with unzip, or pack it with gzip"
    for begins, what, remedy in _KINDS:
        if head.startswith(begins) and (not begins.isalnum() or _BINARY.search(head[:64])):
            return what, remedy
    if head[257:262] == b"ustar":
        return "a tar archive", _UNPACK
    if _PICKLE.match(head):
        return "a pickle, which could run code and is never loaded", _COLUMNS
    if _PAGE.match(head):
        return "a page in HTML or XML", "fetch the file itself: this may be a page about an error"
    return None
