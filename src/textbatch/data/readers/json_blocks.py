"""The bytes of a JSON Lines file, whole lines at a time, as UTF-8."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from textbatch.data.readers.utf8_pieces import utf8_pieces
from textbatch.errors import DataError

#: Longest line. It stops a file without line breaks, and one that a small archive unpacks to.
MAX_LINE_BYTES = 64 << 20
_BLOCK_BYTES = 8 << 20


class Block(NamedTuple):
    """Some lines of a file.

    Attributes:
        content: The lines, in UTF-8 if the file is valid. They end with a line break; only the last
            line of the file may have none.
        first_line: Number of the first line, from 1.
    """

    content: bytes
    first_line: int


def blocks(stream: Any, file: object, encoding: str | None) -> Iterator[Block]:  # noqa: ANN401
    """Yield the lines of a file, some megabytes at a time.

    Args:
        stream: A readable binary file, or one of Arrow's.
        file: The file, for messages.
        encoding: Encoding of the file; None is UTF-8, which is not checked here.

    Raises:
        DataError: The file is not text or has another encoding, or a line does not end.
    """
    pieces: list[bytes] = []
    waiting, line = 0, 1
    for data in utf8_pieces(stream, file, encoding, _BLOCK_BYTES):
        head, newline, tail = data.rpartition(b"\n")
        if newline:
            content = b"".join([*pieces, head, newline])
            yield Block(content, line)
            line += content.count(b"\n")
            pieces, waiting = [], 0
        pieces.append(tail)
        waiting += len(tail)
        if waiting > MAX_LINE_BYTES:
            raise DataError(
                f"{file} has a line of more than {MAX_LINE_BYTES:,} bytes, line {line}",
                "write one JSON object a line; check that the lines end",
            )
    if any(piece.strip() for piece in pieces):
        yield Block(b"".join(pieces), line)
