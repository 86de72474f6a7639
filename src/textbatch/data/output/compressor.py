"""Compresses a file as it is written, to the same bytes however it is cut into writes."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: What is compressed at a time. The sizes of the writes must not matter.
_BLOCK_BYTES = 1 << 20
#: Higher levels make files that are hardly smaller, in twice the time.
_GZIP_LEVEL = 4
#: The format of gzip for `zlib`, whose header has no time and no name.
_GZIP_BITS = 31


class Compressor:
    """Writes to a file what it is given, compressed. Without `finish` the file is cut off."""

    def __init__(self, file: io.BufferedIOBase, codec: str | None) -> None:
        """Nothing is written yet.

        Args:
            file: The file.
            codec: `gzip` or `zstd`; None passes the bytes on as they are.
        """
        self._file, self._codec = file, codec
        self._waiting = bytearray()
        self._gzip = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_BITS)
        self._sink = _Kept(file)
        self._zstd = pa.CompressedOutputStream(self._sink, "zstd") if codec == "zstd" else None

    def write(self, data: bytes) -> None:
        """Append bytes."""
        if self._codec is None:
            self._file.write(data)
            return
        self._waiting += data
        whole = len(self._waiting) - len(self._waiting) % _BLOCK_BYTES
        for start in range(0, whole, _BLOCK_BYTES):
            self._compress(bytes(self._waiting[start : start + _BLOCK_BYTES]))
        del self._waiting[:whole]

    def finish(self) -> None:
        """Write what is left."""
        if self._codec is None:
            return
        self._compress(bytes(self._waiting))
        if self._zstd:
            self._zstd.close()
        else:
            self._file.write(self._gzip.flush())

    def drop(self) -> None:
        """Write nothing more, whatever is left."""
        self._sink.dropped = True
        if self._zstd and not self._zstd.closed:
            self._zstd.close()

    def _compress(self, block: bytes) -> None:
        if self._zstd:
            self._zstd.write(block)
        else:
            self._file.write(self._gzip.compress(block))


class _Kept(io.RawIOBase):
    """Passes bytes on to a file, which stays open when Arrow closes this."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        super().__init__()
        self._file = file
        self.dropped = False

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Append bytes."""
        size = memoryview(data).nbytes
        return size if self.dropped else self._file.write(data)
