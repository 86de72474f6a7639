"""The lines of a text file: decoded, counted, and of limited length."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from textbatch.data.readers.encodings import canonical, check_beginning
from textbatch.data.readers.foreign import HEAD_BYTES, check_is_text
from textbatch.errors import DataError

#: Longest line. It stops a file without line breaks, and one that a small archive unpacks to.
MAX_LINE_CHARACTERS = 64 << 20
_BUFFER_BYTES = 64 << 10
_MARK = "\ufeff"


class TextLines:
    """Iterates over the lines of a file. They keep their ends, which may be LF, CR LF or CR.

    Args:
        stream: A readable binary file, or one of Arrow's.
        file: The file, for messages.
        encoding: Encoding of the file; None is UTF-8.
        lenient: Whether bytes that are not text become lone surrogates. Otherwise they are an
            error.

    Attributes:
        number: Number of lines so far.
        characters: Number of characters in them.
        last: The last line.

    Raises:
        DataError: The file is not text, or has another encoding.
    """

    def __init__(
        self,
        stream: Any,  # noqa: ANN401 - Arrow's have no types
        file: object,
        encoding: str | None,
        *,
        lenient: bool = False,
    ) -> None:
        buffered = io.BufferedReader(stream, _BUFFER_BYTES)
        head = buffered.peek(HEAD_BYTES)[:HEAD_BYTES]
        check_is_text(head, file)
        check_beginning(head, encoding, file)
        self._text = io.TextIOWrapper(
            buffered,
            encoding=encoding or "utf-8",
            errors="surrogateescape" if lenient and _is_bytewise(encoding) else "strict",
            newline="",
        )
        self._file, self._encoding = file, encoding
        self.number = self.characters = 0
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        try:
            # A tool that adds a mark may have found one there already.
            line = self._text.readline(MAX_LINE_CHARACTERS).lstrip(_MARK)
            while line:
                if len(line) >= MAX_LINE_CHARACTERS:
                    raise DataError(
                        f"{self._file} has a line of {MAX_LINE_CHARACTERS:,} or more characters, "
                        f"line {self.number + 1}",
                        "check that it is a text file, and that its lines end",
                    )
                self.number += 1
                self.characters += len(line)
                self.last = line
                yield line
                line = self._text.readline(MAX_LINE_CHARACTERS)
        except UnicodeError as error:
            # Only the position of the error is used, because its message quotes bytes of the cell.
            before = 0
            if isinstance(error, UnicodeDecodeError):
                before = error.object.count(b"\n", 0, error.start)
            raise self.not_text(self.number + 1 + before) from None

    def not_text(self, line: int) -> DataError:
        """Make the error for bytes that are not text.

        Args:
            line: Number of their line.
        """
        name = canonical(self._encoding).upper() if self._encoding else "UTF-8"
        return DataError(
            f"{self._file} is not {name} at line {line}",
            "convert it to UTF-8, or name its --encoding",
        )


def _is_bytewise(encoding: str | None) -> bool:
    """Whether each byte that is not text can become a surrogate of its own."""
    return not canonical(encoding).startswith(("utf-16", "utf-32", "utf-7"))
