"""What an object store has to do for us; `s3`, `google` and `fsspec_store` do it.

Their methods raise what their libraries raise: `remote` tries again and gives failures a class.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path

from textbatch.data.storage.files import FileState
from textbatch.data.storage.location import RemotePath

#: Until the store counts as not answering a request; `TEXTBATCH_REQUEST_SECONDS` says otherwise.
REQUEST_SECONDS = 60.0

#: Reads `size` bytes from a `start`, with one request; may return fewer.
ReadAt = Callable[[int, int], bytes]


def request_seconds() -> float:
    """How long one request may take."""
    return float(os.environ.get("TEXTBATCH_REQUEST_SECONDS") or REQUEST_SECONDS)


class ObjectStore(ABC):
    """The objects of one scheme."""

    @abstractmethod
    def look(self, path: RemotePath) -> FileState | None:
        """Look an object up; None where there is none."""

    @abstractmethod
    def has_below(self, path: RemotePath) -> bool:
        """Whether there are objects below a name that is no object's own."""

    @abstractmethod
    def below(self, path: RemotePath) -> Iterator[tuple[str, FileState]]:
        """All objects below a name, with their exact keys, in any order."""

    @abstractmethod
    def reader(self, path: RemotePath, state: FileState) -> ReadAt:
        """Open an object, as it was when it was looked at.

        Raises:
            DataError: Here, or on reading: it was replaced meanwhile.
        """

    @abstractmethod
    def put(self, local: Path, path: RemotePath, *, overwrite: bool) -> None:
        """Put a finished file into its place; tries again by itself."""

    @abstractmethod
    def remove(self, path: RemotePath) -> None:
        """Remove an object, if it is there."""

    @abstractmethod
    def check_writable(self) -> None:
        """Check that there is a library to write with."""
