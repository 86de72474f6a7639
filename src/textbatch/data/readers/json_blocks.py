"""The bytes of a JSON Lines file, whole lines at a time, as UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any, NamedTuple

from textbatch.data.readers.encodings import canonical, check_beginning
from textbatch.data.readers.foreign import HEAD_BYTES, check_is_text
from textbatch.errors import DataError

#: Longest line. It stops a file without line breaks, and one that a small archive unpacks to.
MAX_LINE_BYTES = 64 << 20
_BLOCK_BYTES = 8 << 20
_MARK = "\ufeff".encode()


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
    for data in _as_utf8(stream, file, encoding):
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


def _as_utf8(stream: Any, file: object, encoding: str | None) -> Iterator[bytes]:  # noqa: ANN401
    begun, line = False, 1
    decoder = codecs.getincrementaldecoder(encoding)("strict") if encoding else None
    for data in _pieces(stream, file, encoding):
        piece = data
        if decoder and encoding:
            try:
                piece = decoder.decode(data, final=not data).encode()
            except UnicodeError as error:
                # The message of the error is not shown, because it quotes bytes of the line.
                if isinstance(error, UnicodeDecodeError):
                    line += error.object.count(b"\n", 0, error.start)
                raise DataError(
                    f"{file} is not {canonical(encoding).upper()} at line {line}",
                    "check --encoding",
                ) from None
            line += piece.count(b"\n")
        yield piece if begun else piece.removeprefix(_MARK)
        begun = begun or bool(piece)


def _pieces(stream: Any, file: object, encoding: str | None) -> Iterator[bytes]:  # noqa: ANN401
    """Yield the bytes of the file, and an empty piece at its end."""
    head: bytes = stream.read(HEAD_BYTES)
    check_is_text(head, file)
    check_beginning(head, encoding, file)
    # Pieces are not larger than a block, which tests rely on.
    for start in range(0, len(head), _BLOCK_BYTES):
        yield head[start : start + _BLOCK_BYTES]
    while data := stream.read(_BLOCK_BYTES):
        yield data
    yield b""
