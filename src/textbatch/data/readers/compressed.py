"""Plain, gzip and Zstandard files as one kind of byte stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from textbatch.data.storage.files import InputFile
from textbatch.errors import DataError, storage_errors

_CODECS = {".gz": "gzip", ".zst": "zstd"}
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
        codec = _CODECS.get(file.suffix.lower())
        self.bytes = pa.CompressedInputStream(self._raw, codec) if codec else self._raw

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
            raise DataError(
                f"{file} is truncated or damaged inside its compression", "fetch it again"
            ) from error
