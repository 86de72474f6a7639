"""Plain, gzip and Zstandard files as one kind of byte stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from textbatch.data.storage.files import InputFile
from textbatch.errors import DataError, storage_errors
from textbatch.types import ReadShare

CODECS = {".gz": "gzip", ".zst": "zstd"}
_BEGINNINGS = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
COMPRESSED_SUFFIXES = tuple(CODECS)
#: Arrow's words for an error of the system.
_SYSTEM = re.compile(r"\[errno \d+\]")


class ByteStream:
    """The decompressed bytes of a file, and how much of the compressed file has been read.

    Attributes:
        bytes: A readable binary file.
    """

    def __init__(self, file: InputFile) -> None:
        # Arrow's streams raise for a truncated file. Those of zstandard do not.
        self._raw = file.open_stream()
        self._size: int = max(1, self._raw.size())
        self._told = 0
        self._codec = _codec_of(file)
        self.bytes = pa.CompressedInputStream(self._raw, self._codec) if self._codec else self._raw

    @property
    def is_as_named(self) -> bool:
        """Whether the file begins as its suffix says. Must be called before `bytes` is read."""
        begins = _BEGINNINGS.get(self._codec or "", b"")
        return begins.startswith(self._raw.read(len(begins)))

    def progress(self) -> ReadShare:
        """The share of the compressed file that is read so far."""
        try:
            self._told = self._raw.tell()
        except ValueError:
            # The thread that reads the file has just closed it.
            self._told = self._size
        except OSError:
            pass  # reading tells of it, if it matters
        return ReadShare(self._told, self._size)

    def close(self) -> None:
        """Close the file."""
        self.bytes.close()
        self._raw.close()


@contextmanager
def stream_errors(file: InputFile) -> Iterator[None]:
    """Turn an `OSError` of compressed data that are damaged into a DataError; it has no errno.

    Raises:
        DataError: The compressed data are truncated or damaged.
        StorageError: The file cannot be read.
    """
    with storage_errors(file, "cannot read"):
        try:
            yield
        except OSError as error:
            # Arrow forgets the errno of some calls.
            if error.errno or not _codec_of(file) or _SYSTEM.search(str(error)):
                raise
            raise _damaged(file) from error


def _codec_of(file: InputFile) -> str | None:
    return CODECS.get(file.suffix.lower())


def _damaged(file: InputFile) -> DataError:
    stream = ByteStream(file)
    try:
        as_named = stream.is_as_named
    finally:
        stream.close()
    if not as_named:
        return DataError(
            f"{file} is not compressed as its name tells ({file.suffix})",
            "take that off its name; or look whether it is what was meant to be fetched",
        )
    return DataError(f"{file} is truncated or damaged inside its compression", "fetch it again")
