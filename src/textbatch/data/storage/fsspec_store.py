"""Object stores that fsspec knows: Azure, Hugging Face and others."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from textbatch.data.storage.file_state import FileState
from textbatch.data.storage.location import RemotePath
from textbatch.data.storage.object_store import ObjectStore, ReadAt, no_bucket
from textbatch.data.storage.retry import retried
from textbatch.errors import DataError

#: The names that stores have for a tag of the content, and for the time of its last change.
_TAGS = ("ETag", "etag", "generation", "version_id", "content_md5", "blob_id", "oid")
_TIMES = ("LastModified", "last_modified", "mtime", "updated", "created")
#: Azure's schemes.
_CONTAINERS = ("abfs", "abfss", "az")


class FsspecStore(ObjectStore):
    """Objects of a scheme that fsspec knows.

    Args:
        scheme: The scheme of its URIs.
    """

    def __init__(self, scheme: str) -> None:
        self._scheme = scheme

    def look(self, path: RemotePath) -> FileState | None:
        """Look an object up."""
        try:
            info = self._fsspec.info(path.address)
        except FileNotFoundError:
            return None
        return _state(info) if info["type"] == "file" else None

    def has_below(self, path: RemotePath) -> bool:
        """Whether there are objects below a name."""
        return bool(self._fsspec.isdir(path.address))

    def below(self, path: RemotePath) -> Iterator[tuple[str, FileState]]:
        """Yield all objects below a name."""
        try:
            found = self._fsspec.find(path.address, detail=True)
        except FileNotFoundError:
            return
        above = f"{self._fsspec._strip_protocol(path.bucket)}/"
        for name, info in found.items():
            if info["type"] == "file":
                yield name.removeprefix(above), _state(info)

    def reader(self, path: RemotePath, state: FileState) -> ReadAt:
        """Open an object. Most stores take no condition, so its state is compared at the end."""

        def read(start: int, size: int) -> bytes:
            data: bytes = self._fsspec.cat_file(path.address, start=start, end=start + size)
            return data

        return read

    def put(
        self,
        local: Path,
        path: RemotePath,
        *,
        overwrite: bool,
        instead_of: FileState | None = None,
    ) -> None:
        """Upload a finished file. Uploads of fsspec become visible at their end.

        It knows no condition. Whoever has one looks before.
        """
        size = local.stat().st_size
        put = partial(self._fsspec.put_file, str(local), path.address)
        retried(put, path, "cannot write", size=size)

    def remove(self, path: RemotePath) -> None:
        """Remove an object, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self._fsspec.rm_file(path.address)

    def probe(self, path: RemotePath) -> bool:
        """Look at Azure's container. fsspec knows no upload that could be given up."""
        # Other stores may make it by writing.
        if self._scheme in _CONTAINERS:
            try:
                self._fsspec.info(path.bucket)
            except FileNotFoundError as error:
                raise no_bucket(path) from error
        return False

    def check_writable(self) -> None:
        """Check that there is a library to write with."""
        self._fsspec  # noqa: B018

    @cached_property
    def _fsspec(self) -> Any:  # noqa: ANN401 - fsspec has no types
        import fsspec

        # Without a cache, because the objects may change between two listings.
        return fsspec.filesystem(self._scheme, use_listings_cache=False)


def _state(info: Mapping[str, Any]) -> FileState:
    tag = next((str(info[name]) for name in _TAGS if info.get(name)), "")
    moment = next((info[name] for name in _TIMES if info.get(name)), None)
    if info["size"] is None:
        raise DataError(f"{info['name']} has no size that the store tells", "copy it and read that")
    return FileState(size=info["size"], modified=_nanoseconds(moment), tag=tag.strip('"'))


def _nanoseconds(moment: object) -> int:
    """A time in any form that a store gives it, in nanoseconds; 0 if it is not understood."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return 0
    if isinstance(moment, datetime):
        moment = moment.timestamp()
    return round(moment * 1e9) if isinstance(moment, int | float) else 0
