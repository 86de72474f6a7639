"""Hugging Face's hub, through the file system of its own library."""

from __future__ import annotations

from collections.abc import Iterator

from textbatch.data.storage.files import FileState
from textbatch.data.storage.fsspec_store import FsspecStore
from textbatch.data.storage.location import RemotePath

#: What an address begins with, if it is not a model's: two more parts name the repository.
_KINDS = ("datasets", "spaces", "models", "buckets")


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

    def _forget(self) -> None:
        """Forget what was listed: this file system keeps it, whatever it is told."""
        self._fsspec.dircache.clear()


def _below_repository(path: RemotePath) -> int:
    """How many parts of an address are below its repository; less than 0 is above it."""
    parts = path.address.strip("/").split("/")
    return len(parts) - (3 if parts[0] in _KINDS else 2)
