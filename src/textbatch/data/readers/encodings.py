"""Which text encodings can be read, and the byte-order marks that files begin with."""

from __future__ import annotations

import codecs
import re

from textbatch.errors import DataError, UsageError

#: Codecs that read texts, but no files: some need the whole text at once, others undo the escapes
#: of a programming language, which line breaks are among.
_UNFIT = frozenset(
    {"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)
#: The longer marks first: that of UTF-32-LE begins with that of UTF-16-LE.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Text in a Latin script has a zero in each second byte of UTF-16, in three of four of UTF-32.
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
        UsageError: There is no such text encoding, or it reads whole texts only.
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
    """The name of an encoding, whichever of its names is given; None is UTF-8.

    Raises:
        LookupError: There is none of this name.
    """
    name = codecs.lookup(encoding or "utf-8").name.replace("_", "-")
    return "utf-8" if name == "utf-8-sig" else name


def _reads_pieces(encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    content = _PROBE.encode(encoding)
    pieces = [decoder.decode(content[i : i + 1]) for i in range(len(content))]
    return "".join(pieces) + decoder.decode(b"", final=True) == _PROBE


def check_beginning(head: bytes, encoding: str | None, file: object) -> None:
    """Check the beginning of a file: its mark, and zeros as UTF-16 has them.

    Args:
        head: Its first bytes.
        encoding: What it is read in; None is UTF-8.
        file: Its name, for messages.

    Raises:
        DataError: It is in another encoding, or lacks the mark that tells the order of its bytes.
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
