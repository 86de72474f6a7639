"""What can be done with files, wherever they stand; `file_io` chooses who does it."""

from __future__ import annotations

import io
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import pyarrow as pa

from textbatch.data.storage.location import Location

_Place = TypeVar("_Place", bound=Location)

MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """A file at one moment.

    Attributes:
        size: In bytes.
        modified: Time of the last change, nanoseconds; 0 where it is not told.
        tag: Changes with the content, whatever the time says: an ETag or a generation; on this
            machine device, inode and the time at which the inode changed.
    """

    size: int
    modified: int
    tag: str

    @property
    def version(self) -> str:
        """What tells a file from its successor in the manifests of outputs."""
        return str(self.modified) if self.modified else self.tag


class InputFile(ABC):
    """A file to be read.

    Attributes:
        location: Where it stands.
        costs_requests: Whether each look and each read is a request to another machine.
    """

    location: Location
    costs_requests: bool

    @property
    def name(self) -> str:
        """The last part of its name, which tells its format."""
        return self.location.name

    @property
    def suffix(self) -> str:
        """The name's suffix."""
        return self.location.suffix

    @property
    @abstractmethod
    def canonical(self) -> str:
        """A name that tells it from other files, links followed."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is such a file; a folder is none.

        Raises:
            AccessError: It may not be looked at.
            TryAgainError: The store does not answer.
        """

    @abstractmethod
    def look(self) -> FileState:
        """What it is like now.

        Raises:
            InputNotFoundError: There is no such file, or it is a folder.
            AccessError: It may not be looked at.
            TryAgainError: The store does not answer.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """What tells its content, as far as that costs little: an ETag, or a hash of its ends."""

    @abstractmethod
    def open(self) -> io.BufferedReader:
        """Open it, to be read anywhere; of a store in large blocks.

        Raises:
            InputNotFoundError: There is no such file.
            AccessError: It may not be read.
            TryAgainError: The store does not answer.
        """

    @abstractmethod
    def open_random(self) -> pa.NativeFile:
        """Open it for Arrow to read here and there."""

    @abstractmethod
    def open_stream(self) -> pa.NativeFile:
        """Open it for Arrow to read from its beginning to its end, in few requests."""

    def __str__(self) -> str:
        """As messages name it."""
        return str(self.location)


class OutputFile(ABC):
    """A place for a file, which appears there whole or not at all.

    Attributes:
        location: Where it is to stand.
        staged: Whether the file is made elsewhere and brought here when it is finished.
    """

    location: Location
    staged: bool

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is anything."""

    @abstractmethod
    def check(self, *, overwrite: bool = True) -> None:
        """Check, before anything is computed, that a file may be made here.

        Args:
            overwrite: Whether it may take the place of another one. A store is not asked: its
                upload is conditional.

        Raises:
            OutputError: It exists and must not be replaced, is a folder, or has no folder.
            AccessError: Its folder is not writable.
            UsageError: There is no library that writes to this store.
        """

    @abstractmethod
    def publish(self, finished: Path, *, overwrite: bool = True) -> None:
        """Put a finished and synced file of this machine here; on this machine it is moved.

        Raises:
            OutputError: There is another file, and it must not be replaced.
            AccessError: The store does not allow it.
            TryAgainError: The store failed for too long.
            StorageError: The disk is full or failing.
        """

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Write a small file: a reader sees the old one or the whole new one.

        Raises:
            OutputError: Its folder does not exist.
            AccessError: The store does not allow it.
            TryAgainError: The store failed for too long.
            StorageError: The disk is full or failing.
        """

    @abstractmethod
    def remove(self) -> None:
        """Remove what is there, if anything is."""

    @abstractmethod
    def to_input_file(self) -> InputFile:
        """The same place, to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file that was found below a folder.

    Attributes:
        name: Its name relative to the folder, with slashes.
        file: The file.
        state: As it was when it was found; None where only its name was looked at.
        hidden: Whether its name, or a folder's above, begins with `_` or `.`; what is in a
            hidden folder on this machine is not looked at.
    """

    name: str
    file: InputFile
    state: FileState | None = None
    hidden: bool = False


class FileIO(ABC, Generic[_Place]):
    """Files of one kind of place."""

    @abstractmethod
    def new_input(self, location: _Place) -> InputFile:
        """A file to be read."""

    @abstractmethod
    def new_output(self, location: _Place) -> OutputFile:
        """A place for a file."""

    @abstractmethod
    def is_folder(self, location: _Place) -> bool:
        """Whether there is a folder, or objects below the name."""

    @abstractmethod
    def exists(self, location: _Place) -> bool:
        """Whether there is a file of that very name, or a link."""

    @abstractmethod
    def files_below(self, folder: _Place) -> Iterator[Found]:
        """All files of a folder, however deep, in the order of their names.

        Raises:
            DataError: A link leads to a folder above it.
            InputNotFoundError: There is no such bucket.
            StorageError: A folder cannot be listed.
        """

    @abstractmethod
    def matching(self, pattern: _Place) -> Iterator[Found]:
        """The files that a glob matches, and those below the folders that it matches.

        Their names are relative to the folder above the first part with magic characters.
        """

    def is_pattern(self, location: _Place) -> bool:
        """Whether a name is a glob rather than a file's own name."""
        return bool(MAGIC.search(str(location))) and not self.exists(location)


def is_hidden(name: str) -> bool:
    """Whether a file or folder is no data, by the convention of Hive and Spark."""
    return name.startswith(("_", "."))
