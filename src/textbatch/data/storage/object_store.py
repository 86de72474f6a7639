"""Reading object stores: through pyarrow where it knows the scheme, else through fsspec."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa

from textbatch.data.storage.location import Location, RemotePath
from textbatch.data.storage.retry import retried
from textbatch.errors import InputNotFoundError, UsageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: Until the store counts as not answering a request; `TEXTBATCH_REQUEST_SECONDS` says otherwise.
REQUEST_SECONDS = 60.0
_NATIVE = {"gs", "gcs"}
_BLOCK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteInfo:
    """What a store tells of an object.

    Attributes:
        path: Of the object.
        size: In bytes.
        version: Time of the last change, nanoseconds.
    """

    path: RemotePath
    size: int
    version: str


def request_seconds() -> float:
    """How long one request may take."""
    return float(os.environ.get("TEXTBATCH_REQUEST_SECONDS") or REQUEST_SECONDS)


def look(path: RemotePath) -> RemoteInfo | None:
    """Look an object up; None where there is none.

    Raises:
        AccessError: It may not be looked at.
        TryAgainError: The store does not answer.
    """
    info = retried(lambda: _filesystem(path).get_file_info(path.key), path, "cannot look at")
    return _info(path, info) if info.is_file else None


def is_folder(path: RemotePath) -> bool:
    """Whether there are objects below a path.

    Raises:
        AccessError: It may not be looked at.
        TryAgainError: The store does not answer.
    """
    info = retried(lambda: _filesystem(path).get_file_info(path.key), path, "cannot look at")
    return bool(info.type.name == "Directory")


def listed(folder: RemotePath) -> list[RemoteInfo]:
    """All objects below a path, in the order of their names; none where there is none.

    Raises:
        AccessError: They may not be listed.
        InputNotFoundError: There is no such bucket.
        TryAgainError: The store does not answer.
    """
    from pyarrow.fs import FileSelector

    selector = FileSelector(folder.key, recursive=True, allow_not_found=True)
    found = retried(lambda: _filesystem(folder).get_file_info(selector), folder, "cannot list")
    infos = [_info(RemotePath(folder.scheme, info.path), info) for info in found if info.is_file]
    return sorted(infos, key=lambda info: info.path)


def read_whole(path: RemotePath, *, limit: int) -> bytes:
    """Read a small object.

    Raises:
        InputNotFoundError: There is none.
        UsageError: It is larger than `limit` bytes.
        TryAgainError: The store does not answer.
    """
    with RemoteFile(path) as file:
        if file.size > limit:
            raise UsageError(f"{path} has {file.size:,} bytes", "it is not what it should be")
        return file.read(file.size)


class RemoteFile(io.RawIOBase):
    """An object as a file that can be read anywhere, each call tried again when it fails.

    What it raises are this project's own errors; Arrow passes them through as they are.

    Attributes:
        size: In bytes.
    """

    def __init__(self, path: RemotePath) -> None:
        """Open it.

        Raises:
            InputNotFoundError: There is no such object.
            AccessError: It may not be read.
            TryAgainError: The store does not answer.
        """
        super().__init__()
        self._path = path
        self._file: Any = None  # closing must work where opening has failed
        self._file = retried(
            lambda: _filesystem(path).open_input_file(path.key), path, "cannot read"
        )
        self.size: int = retried(self._file.size, path, "cannot read")
        self._position = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to a place; no request is made."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Read from the current place, with one request."""
        left = max(0, self.size - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        if not wanted:
            return b""
        start = self._position
        data = retried(lambda: self._read_at(wanted, start), self._path, "cannot read")
        self._position += len(data)
        return data

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read into a buffer."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file."""
        if not self.closed and self._file is not None:
            self._file.close()
        super().close()

    def _read_at(self, size: int, start: int) -> bytes:
        data: bytes = self._file.read_at(size, start)
        if len(data) != size:
            raise OSError("short read")
        return data


def open_random(path: RemotePath) -> pa.NativeFile:
    """An object for Arrow to read here and there."""
    return pa.PythonFile(RemoteFile(path), "r")


def open_stream(path: RemotePath) -> pa.NativeFile:
    """An object for Arrow to read from its beginning to its end, in few requests."""
    return pa.PythonFile(io.BufferedReader(RemoteFile(path), _BLOCK_BYTES), "r")


def open_bytes(path: Location) -> IO[bytes]:
    """A file to be read anywhere, of a store in large blocks.

    Raises:
        InputNotFoundError: There is no such object.
        AccessError: It may not be read.
        TryAgainError: The store does not answer.
    """
    if isinstance(path, RemotePath):
        return io.BufferedReader(RemoteFile(path), _BLOCK_BYTES)
    return path.open("rb")


def _info(path: RemotePath, info: Any) -> RemoteInfo:  # noqa: ANN401 - Arrow's FileInfo
    moment: datetime | None = info.mtime
    version = str(info.mtime_ns) if moment else ""
    return RemoteInfo(path=path, size=info.size, version=version)


def existing(path: RemotePath) -> RemoteInfo:
    """Look up an object that has to be there.

    Raises:
        InputNotFoundError: There is none.
        TryAgainError: The store does not answer.
    """
    info = look(path)
    if info is None:
        raise InputNotFoundError(f"cannot read {path}: there is no such object", "check the path")
    return info


def _filesystem(path: RemotePath) -> Any:  # noqa: ANN401 - Arrow has no types
    return _open_filesystem(path.scheme, path.key.split("/")[0])


@cache
def _open_filesystem(scheme: str, bucket: str) -> Any:  # noqa: ANN401 - Arrow has no types
    from pyarrow import fs

    if scheme in ("s3", "s3a"):
        return _s3(bucket)
    if scheme in _NATIVE:
        return _gcs()
    import fsspec

    return fs.PyFileSystem(fs.FSSpecHandler(fsspec.filesystem(scheme)))


def _gcs() -> Any:  # noqa: ANN401 - Arrow has no types
    from pyarrow import fs

    # The variable by which Google's own clients find an emulator, which knows no credentials.
    emulator = os.environ.get("STORAGE_EMULATOR_HOST") or ""
    scheme, _, host = emulator.rpartition("://")
    return fs.GcsFileSystem(
        anonymous=bool(emulator),
        scheme=scheme or "https",
        endpoint_override=host or None,
        # By default a quarter of an hour, which it also spends looking for credentials.
        retry_time_limit=timedelta(seconds=request_seconds()),
    )


def _s3(bucket: str) -> Any:  # noqa: ANN401 - Arrow has no types
    from pyarrow import fs

    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    scheme, _, host = endpoint.rpartition("://")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return fs.S3FileSystem(
        region=region or (None if endpoint else fs.resolve_s3_region(bucket)),
        scheme=scheme or "https",
        endpoint_override=host or None,
        connect_timeout=min(10.0, request_seconds()),
        request_timeout=request_seconds(),
        # `retried` tries again.
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=1),
    )
