"""The opcodes of a pickle."""

from __future__ import annotations

import codecs
import io
import pickletools
import warnings
from collections.abc import Iterator
from typing import Any

from textbatch.model.keras_files.pickle_names import UnsafePickleError

_OPCODES = {one.code.encode("latin-1"): one for one in pickletools.opcodes}


def opcodes_of(file: io.BytesIO) -> Iterator[tuple[str, Any]]:
    """The opcodes and their arguments, as `pickletools.genops` gives them.

    That one reads byte strings of protocol 0 as ASCII.

    Args:
        file: The pickle, from its current position on.

    Raises:
        ValueError: It is damaged.
    """
    while code := file.read(1):
        opcode = _OPCODES.get(code)
        if opcode is None:
            raise UnsafePickleError("it is damaged")
        if opcode.name == "STRING":
            yield opcode.name, _quoted(file.readline())
        else:
            yield opcode.name, None if opcode.arg is None else opcode.arg.reader(file)


def _quoted(line: bytes) -> str:
    line = line.rstrip(b"\n")
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise UnsafePickleError("it is damaged")
    decoded: bytes = codecs.escape_decode(line[1:-1])[0]
    return decoded.decode("latin-1")


def is_pickle(data: bytes) -> bool:
    """Whether bytes are opcodes of a pickle up to their end. Protocol 0 looks like text.

    Args:
        data: The bytes.
    """
    if not data.endswith(b"."):
        return False
    file = io.BytesIO(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ends = (file.tell() for name, _ in opcodes_of(file) if name == "STOP")
            return next(ends, None) == len(data)
    except (ValueError, LookupError):
        return False
