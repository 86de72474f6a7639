"""What an object store must be able to do. `s3_store`, `google_store` and `fsspec_store` do it.

Their methods raise the errors of their libraries. `remote` tries again, and gives failures a class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path

from textbatch.data.storage.checksums import Checksum
from textbatch.data.storage.file_state import FileState
from textbatch.data.storage.location import RemotePath
from textbatch.errors import OutputError

#: Called with `start` and `size`, in bytes. Reads with one request, and may return fewer bytes.
ReadAt = Callable[[int, int], bytes]


class ObjectStore(ABC):
    """The objects of one scheme."""

    @abstractmethod
    def look(self, path: RemotePath) -> FileState | None:
        """Look an object up; None if there is none."""

    @abstractmethod
    def has_below(self, path: RemotePath) -> bool:
        """Whether there are objects below a name, and none with exactly this name."""

    @abstractmethod
    def below(self, path: RemotePath) -> Iterator[tuple[str, FileState]]:
        """Yield all objects below a name, with their exact keys, in any order."""

    @abstractmethod
    def reader(self, path: RemotePath, state: FileState) -> ReadAt:
        """Open an object, as it was when it was looked at.

        Where the store tells its checksum, a read of the whole object compares it.

        Args:
            path: The object.
            state: Its state when it was looked at.

        Raises:
            DataError: Now, or later on reading: the object was replaced.
        """

    def checksum(self, path: RemotePath, state: FileState) -> Checksum | None:
        """Ask for the checksum of a whole object; None if the store tells none that we know.

        Args:
            path: The object.
            state: Its state when it was looked at.
        """
        return None

    @abstractmethod
    def put(
        self,
        local: Path,
        path: RemotePath,
        *,
        overwrite: bool,
        instead_of: FileState | None = None,
    ) -> None:
        """Upload a finished file. It tries again by itself.

        Args:
            local: The file.
            path: Where it goes.
            overwrite: Whether it may replace another object.
            instead_of: The one object that it may replace, as it was looked at; None for any.

        Raises:
            OutputError: There is an object, and it must not be replaced.
            TryAgainError: Another object than `instead_of` stands there, as far as the store tells.
        """

    @abstractmethod
    def remove(self, path: RemotePath) -> None:
        """Remove an object, if it is there."""

    @abstractmethod
    def probe(self, path: RemotePath) -> bool:
        """Try, without leaving anything, whether an object could be written.

        Returns:
            False if only a write would tell.

        Raises:
            OutputError: There is no such bucket.
        """

    @abstractmethod
    def check_writable(self) -> None:
        """Check that there is a library to write with."""


def no_bucket(path: RemotePath) -> OutputError:
    """The error for an output whose bucket does not exist."""
    return OutputError(
        f"cannot write {path}: there is no bucket {path.bucket}", "create it, or check the name"
    )
