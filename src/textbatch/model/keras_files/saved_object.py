"""What pickle or joblib has saved, plain or compressed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa

from textbatch.errors import BundleError, InputNotFoundError, storage_errors
from textbatch.model.keras_files.pickle_names import UnsafePickleError
from textbatch.model.keras_files.safe_pickle import read_pickle

#: The largest file, and the largest content of a compressed one, in bytes.
MAX_BYTES = 256 << 20
_LZ4 = b"\x04\x22\x4d\x18"


def read_bytes(path: Path, what: str, *, most: int = MAX_BYTES) -> bytes:
    """Read a whole regular file.

    Args:
        path: The file.
        what: What it should be, for messages.
        most: The largest size, in bytes.

    Raises:
        InputNotFoundError: There is no such file.
        BundleError: It is no regular file, or too large.
        StorageError: It cannot be read.
    """
    if not os.path.lexists(path):
        raise InputNotFoundError(f"{path} does not exist", "check the path")
    with storage_errors(path, "cannot read"):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise BundleError(f"{path} is no file of {what}", f"name the file of {what}")
            with open(descriptor, "rb", closefd=False) as file:
                # `read` takes memory for as much as it is told to read.
                data = file.read(min(most, found.st_size) + 1)
        finally:
            os.close(descriptor)
    if len(data) > most:
        raise BundleError(
            f"{path} is larger than {most:,} bytes, too large for {what}", "name another file"
        )
    return data


def unpacked(data: bytes, path: Path) -> bytes:
    """Decompress what joblib has compressed, by the bytes that the file begins with.

    Args:
        data: The file.
        path: Its path, for messages.

    Raises:
        BundleError: It is damaged, or holds too much.
    """
    for magic, opened in _COMPRESSED.items():
        if data.startswith(magic):
            try:
                with opened(io.BytesIO(data)) as file:
                    found: bytes = file.read(MAX_BYTES + 1)
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
                raise BundleError(f"{path} is damaged", "take another copy") from error
            if len(found) > MAX_BYTES:
                raise BundleError(
                    f"{path} holds more than {MAX_BYTES:,} bytes", "save it again without code"
                )
            return found
    return data


class _Zlib(io.RawIOBase):
    """The content of a zlib stream, up to a limit."""

    def __init__(self, file: io.BytesIO) -> None:
        self._content = file

    def read(self, size: int = -1) -> bytes:
        stream = zlib.decompressobj()
        found = stream.decompress(self._content.read(), size)
        if not stream.eof and len(found) < size:
            raise EOFError
        return found


#: What a file begins with, and what opens it.
_COMPRESSED: dict[bytes, Callable[[io.BytesIO], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"\x5d\x00\x00": lzma.LZMAFile,
    **dict.fromkeys((b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"), _Zlib),
    _LZ4: lambda file: pa.CompressedInputStream(pa.BufferReader(file.getbuffer()), "lz4"),
}


def saved_object(data: bytes, path: Path, what: str) -> Any:  # noqa: ANN401 - see `read_pickle`
    """Read what pickle or joblib has saved.

    Args:
        data: The file, not compressed.
        path: Its path, for messages.
        what: What it should be, for messages.

    Returns:
        Plain values and holders; see `safe_pickle.read_pickle`.

    Raises:
        BundleError: It is damaged, or holds something else.
    """
    try:
        return read_pickle(io.BytesIO(data))
    except UnsafePickleError as error:
        _refuse(path, what, str(error))


def _refuse(path: Path, what: str, why: str) -> NoReturn:
    raise BundleError(
        f"{path} is no saved {what}: {why}; nothing of it was run",
        f"save {what} again, best as JSON or text",
    )
