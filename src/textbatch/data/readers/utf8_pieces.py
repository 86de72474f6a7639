"""The bytes of a text file as UTF-8, whatever its encoding."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any

from textbatch.data.readers.encodings import canonical, check_beginning
from textbatch.data.readers.foreign import HEAD_BYTES, check_is_text
from textbatch.errors import DataError

_MARK = "\ufeff".encode()


def utf8_pieces(
    stream: Any,  # noqa: ANN401 - Arrow's have no types
    file: object,
    encoding: str | None,
    size: int,
) -> Iterator[bytes]:
    """Yield the content of a text file in UTF-8, without its byte-order mark.

    Args:
        stream: A readable binary file, or one of Arrow's.
        file: The file, for messages.
        encoding: Encoding of the file; None is UTF-8, which is not checked here.
        size: Bytes to read at a time.

    Raises:
        DataError: The file is not text or has another encoding.
    """
    begun, line = False, 1
    decoder = codecs.getincrementaldecoder(encoding)("strict") if encoding else None
    for data in _pieces(stream, file, encoding, size):
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


def _pieces(
    stream: Any,  # noqa: ANN401
    file: object,
    encoding: str | None,
    size: int,
) -> Iterator[bytes]:
    """Yield the bytes of the file, and an empty piece at its end."""
    head: bytes = stream.read(HEAD_BYTES)
    check_is_text(head, file)
    check_beginning(head, encoding, file)
    # Pieces are not larger than a block, which tests rely on.
    for start in range(0, len(head), size):
        yield head[start : start + size]
    while data := stream.read(size):
        yield data
    yield b""
