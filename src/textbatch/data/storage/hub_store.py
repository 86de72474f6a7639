"""Hugging Face's hub, through the file system of its own library."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial

from textbatch.data.storage.checksums import Checksum
from textbatch.data.storage.file_state import FileState
from textbatch.data.storage.fsspec_store import FsspecStore
from textbatch.data.storage.location import RemotePath
from textbatch.data.storage.object_store import ReadAt

#: What an address begins with, if it is not a model's: two more parts name the repository.
_KINDS = ("datasets", "spaces", "models", "buckets")

_SHA1_DIGITS = 40


class HubStore(FsspecStore):
    """Files of `hf://`."""

    def look(self, path: RemotePath) -> FileState | None:
        """Look a file up. Above a repository there is none."""
        self._forget()
        return super().look(path) if _below_repository(path) > 0 else None

    def has_below(self, path: RemotePath) -> bool:
        """Whether there are files below a name."""
        self._forget()
        try:
            return _below_repository(path) >= 0 and super().has_below(path)
        except ValueError:
            if _below_repository(path) == 0:  # no repository can have this name
                return False
            raise

    def below(self, path: RemotePath) -> Iterator[tuple[str, FileState]]:
        """Yield all files below a name."""
        self._forget()
        yield from super().below(path)

    def reader(self, path: RemotePath, state: FileState) -> ReadAt:
        """Open a file; see `FsspecStore`. What is read whole is compared with its hash."""
        read = super().reader(path, state)

        def read_checked(start: int, size: int) -> bytes:
            data = read(start, size)
            told = self.checksum(path, state) if len(data) == state.size else None
            if told and not told.is_of(data):
                raise OSError("what arrived is not what the store holds")
            return data

        return read_checked

    def checksum(self, path: RemotePath, state: FileState) -> Checksum | None:
        """The hash of a file: of its content if it is large, as git has it if it is small."""
        found = self._fsspec.info(path.address)
        if found["size"] != state.size:
            return None
        if large := found.get("lfs"):
            return Checksum(hashlib.sha256, bytes.fromhex(large["sha256"]))
        git = found.get("blob_id") or ""
        if len(git) != _SHA1_DIGITS:
            return None
        head = b"blob %d\0" % state.size
        return Checksum(partial(hashlib.sha1, head, usedforsecurity=False), bytes.fromhex(git))

    def _forget(self) -> None:
        """Forget what was listed: this file system keeps it, whatever it is told."""
        self._fsspec.dircache.clear()


def _below_repository(path: RemotePath) -> int:
    """How many parts of an address are below its repository; less than 0 is above it."""
    parts = path.address.strip("/").split("/")
    return len(parts) - (3 if parts[0] in _KINDS else 2)
