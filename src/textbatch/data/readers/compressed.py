"""Plain, gzip and Zstandard files as one kind of byte stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from textbatch.data.storage.files import InputFile
from textbatch.errors import DataError, storage_errors

_CODECS = {".gz": "gzip", ".zst": "zstd"}
_BEGINNINGS = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
COMPRESSED_SUFFIXES = tuple(_CODECS)


class ByteStream:
    """A file's decompressed bytes, and how far its compressed ones have been read.

    Attributes:
        bytes: A readable binary file.
    """

    def __init__(self, file: InputFile) -> None:
        # Arrow's streams, unlike zstandard's, raise on a truncated file.
        self._raw = file.open_stream()
        self._size: int = max(1, self._raw.size())
        self._codec = _CODECS.get(file.suffix.lower())
        self.bytes = pa.CompressedInputStream(self._raw, self._codec) if self._codec else self._raw

    @property
    def is_as_named(self) -> bool:
        """Whether a file with the suffix of a compression begins so; asked before its bytes are."""
        begins = _BEGINNINGS.get(self._codec or "", b"")
        return begins.startswith(self._raw.read(len(begins)))

    def progress(self) -> float:
        """The share of the compressed file read so far, 0 to 1."""
        try:
            return min(1.0, float(self._raw.tell()) / self._size)
        except ValueError:
            # Another thread reads the file, and has just closed it.
            return 1.0

    def close(self) -> None:
        """Close the file."""
        self.bytes.close()
        self._raw.close()


@contextmanager
def stream_errors(file: InputFile) -> Iterator[None]:
    """Tell damaged compressed data, an `OSError` without errno, from a failing disk.

    Raises:
        DataError: The compressed data are truncated or damaged.
        StorageError: The file cannot be read.
    """
    with storage_errors(file, "cannot read"):
        try:
            yield
        except OSError as error:
            if error.errno:
                raise
            raise _damaged(file) from error


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
