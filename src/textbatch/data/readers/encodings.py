"""The text encodings that can be read, and the byte-order marks at the beginning of files."""

from __future__ import annotations

import codecs
import re

from textbatch.errors import DataError, UsageError

#: Codecs that cannot read files. Some need the whole text at once. Others decode the escapes of a
#: programming language, and line breaks are among these.
_UNFIT = frozenset(
    {"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)
#: Longer marks come first: the mark of UTF-32-LE begins with that of UTF-16-LE.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: In UTF-16, every second byte of a text in Latin script is zero; in UTF-32, three of four are.
_UNMARKED = (
    (re.compile(rb"(?:[^\0]\0\0\0){2}"), "utf-32-le"),
    (re.compile(rb"(?:\0\0\0[^\0]){2}"), "utf-32-be"),
    (re.compile(rb"(?:[^\0]\0){3}"), "utf-16-le"),
    (re.compile(rb"(?:\0[^\0]){3}"), "utf-16-be"),
)
_PROBE = 'a,b\r\n"1",2\n'


def check_encoding(encoding: str | None) -> None:
    """Check that files in an encoding can be read piece by piece.

    Args:
        encoding: Its name; None is UTF-8.

    Raises:
        UsageError: There is no such text encoding, or it can read only whole texts.
    """
    if encoding is None:
        return
    try:
        name = canonical(encoding)
        unfit = name in _UNFIT or not _reads_pieces(encoding)
    except (LookupError, UnicodeError, TypeError, ValueError, AttributeError):
        raise UsageError(
            f"--encoding is {encoding}, which is no text encoding that is known",
            "give for example latin-1",
        ) from None
    if unfit:
        raise UsageError(
            f"--encoding is {encoding}, which no file can be read in", "give for example latin-1"
        )


def canonical(encoding: str | None) -> str:
    """The standard name of an encoding, from any of its names; None is UTF-8.

    Raises:
        LookupError: There is no encoding with this name.
    """
    name = codecs.lookup(encoding or "utf-8").name.replace("_", "-")
    return "utf-8" if name == "utf-8-sig" else name


def _reads_pieces(encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    content = _PROBE.encode(encoding)
    pieces = [decoder.decode(content[i : i + 1]) for i in range(len(content))]
    return "".join(pieces) + decoder.decode(b"", final=True) == _PROBE


def check_beginning(head: bytes, encoding: str | None, file: object) -> None:
    """Check the beginning of a file: its byte-order mark, and zeros as UTF-16 has them.

    Args:
        head: Its first bytes.
        encoding: The encoding that it is read in; None is UTF-8.
        file: The file, for messages.

    Raises:
        DataError: It is in another encoding, or lacks the mark that says the order of its bytes.
    """
    name = canonical(encoding)
    mark = next((kind for begins, kind in _MARKS if head.startswith(begins)), None)
    if mark:
        if name not in (mark, mark[:6]):
            raise DataError(
                f"{file} is not {name.upper()}: its byte-order mark is that of {mark.upper()}",
                "leave --encoding out" if mark == "utf-8" else f"give --encoding {mark[:6]}",
            )
    elif name in ("utf-16", "utf-32"):
        raise DataError(
            f"{file} has no byte-order mark, which {name.upper()} begins with",
            f"leave --encoding out if it is UTF-8; else give --encoding {name}-le or {name}-be",
        )
    elif not name.startswith(("utf-16", "utf-32")):
        for pattern, kind in _UNMARKED:
            if pattern.match(head):
                raise DataError(
                    f"{file} looks like {kind.upper()} without a byte-order mark",
                    f"give --encoding {kind}",
                )
