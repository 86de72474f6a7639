"""What can be done with files, wherever they are. `file_io` chooses who does it."""

from __future__ import annotations

import io
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import pyarrow as pa

from textbatch.data.storage.file_state import FileState
from textbatch.data.storage.location import Location
from textbatch.errors import DataError

_Place = TypeVar("_Place", bound=Location)

MAGIC = re.compile(r"[*?\[]")


class InputFile(ABC):
    """A file to be read.

    Attributes:
        location: Where it is.
        costs_requests: Whether each `look` and each read is a request to another machine.
    """

    location: Location
    costs_requests: bool

    @property
    def name(self) -> str:
        """The last part of its name, whose suffix says its format."""
        return self.location.name

    @property
    def suffix(self) -> str:
        """The suffix of the name."""
        return self.location.suffix

    @property
    @abstractmethod
    def canonical(self) -> str:
        """A name that no other file has, with links followed."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is such a file. A folder is not a file.

        Raises:
            AccessError: Looking is not allowed.
            TryAgainError: The store does not answer.
        """

    @abstractmethod
    def look(self) -> FileState:
        """Look at the file: its state now.

        Raises:
            InputNotFoundError: There is no such file, or it is a folder.
            AccessError: Looking is not allowed.
            TryAgainError: The store does not answer.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """A text that identifies its content and is cheap: an ETag, or a hash of both ends."""

    @abstractmethod
    def content_hash(self) -> str:
        """A text that differs for any other content: its sha256, or what the store tells."""

    @abstractmethod
    def open(self) -> io.BufferedReader:
        """Open it to read at any place. From a store it is read in large blocks.

        Raises:
            InputNotFoundError: There is no such file.
            AccessError: Reading is not allowed.
            TryAgainError: The store does not answer.
        """

    @abstractmethod
    def open_random(self) -> pa.NativeFile:
        """Open it for Arrow, to read at many places."""

    @abstractmethod
    def open_stream(self) -> pa.NativeFile:
        """Open it for Arrow, to read from its beginning to its end with few requests."""

    def __str__(self) -> str:
        """The name of the file in messages."""
        return str(self.location)


class OutputFile(ABC):
    """A place for a file, which appears there whole or not at all.

    Attributes:
        location: The place.
    """

    location: Location

    @property
    @abstractmethod
    def staged(self) -> bool:
        """Whether the file is made elsewhere, and brought here when it is finished."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is anything at this place."""

    @abstractmethod
    def check(self, *, overwrite: bool = True, stream: bool = False) -> None:
        """Check, before anything is computed, that a file may be made here.

        Args:
            overwrite: Whether the file may replace another one. For a store this is not checked
                here, because its upload is conditional.
            stream: Whether it may be a device or a pipe, which is then written to and stays.

        Raises:
            OutputError: A file exists and must not be replaced, or the place is a folder, or its
                folder does not exist, or it is no regular file.
            AccessError: The folder is not writable.
            UsageError: There is no library that writes to this store.
        """

    def probe(self) -> bool:
        """Try, without leaving anything, whether a file could be written here, beyond `check`.

        Returns:
            False if only a write would tell.

        Raises:
            OutputError: There is no such bucket.
            AccessError: The store does not allow it, or the credentials have expired.
            TryAgainError: The store does not answer.
        """
        return True

    @abstractmethod
    def publish(self, finished: Path, *, overwrite: bool = True) -> None:
        """Put a finished file here. On this machine it is moved.

        Args:
            finished: The file, on this machine, synced.
            overwrite: Whether it may replace another file.

        Raises:
            OutputError: There is another file, and it must not be replaced.
            AccessError: The store does not allow it.
            TryAgainError: The store failed for too long.
            StorageError: The disk is full or failing.
        """

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Write a small file. A reader sees the old file or the whole new one.

        Raises:
            OutputError: Its folder does not exist.
            AccessError: The store does not allow it.
            TryAgainError: The store failed for too long.
            StorageError: The disk is full or failing.
        """

    @abstractmethod
    def swap(self, data: bytes, seen: FileState | None) -> None:
        """Write a small file in place of the one that was looked at, and of no other one.

        On this machine only the holder of a lock may do this: there is no such condition.

        Args:
            data: Its content.
            seen: The state of the file that it replaces; None if there was none.

        Raises:
            TryAgainError: Another file stands there by now, or the store failed for too long.
            AccessError: The store does not allow it.
            StorageError: The disk is full or failing.
        """

    @abstractmethod
    def remove(self) -> None:
        """Remove the file, if there is one."""

    @abstractmethod
    def remove_leftovers(self) -> None:
        """Remove temporary files that dead writers of this file left on this machine."""

    @abstractmethod
    def to_input_file(self) -> InputFile:
        """The same place, to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file that was found below a folder.

    Attributes:
        name: Its name relative to the folder, with slashes.
        file: The file.
        state: Its state when it was found; None if only its name was looked at.
        usable: Whether the name can be that of a file below a folder: a key may be anything.
        hidden: Whether its name, or the name of a folder above it, begins with `_` or `.`. On this
            machine the files in a hidden folder are not listed.
    """

    name: str
    file: InputFile
    state: FileState | None = None
    usable: bool = True
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
        """Whether there is a file or a link with exactly this name."""

    @abstractmethod
    def files_below(self, folder: _Place) -> Iterator[Found]:
        """Yield all files below a folder, at any depth, in the order of their names.

        On this machine links are followed, and each folder is gone through once.

        Raises:
            InputNotFoundError: There is no such bucket.
            StorageError: A folder cannot be listed.
        """

    @abstractmethod
    def matching(self, pattern: _Place) -> Iterator[Found]:
        """Yield the files that a glob matches, and those below folders that it matches.

        Their names are relative to the folder above the first part with `*`, `?` or `[`.
        """

    @abstractmethod
    def make_folder(self, location: _Place) -> None:
        """Make a folder, if there is none. A store has none to make.

        Raises:
            OutputError: Its own folder does not exist.
            AccessError: It may not be made.
        """

    @abstractmethod
    def remove_folder(self, location: _Place) -> None:
        """Remove a folder with all that is in it, as far as that is possible."""

    def is_pattern(self, location: _Place) -> bool:
        """Whether a name is a glob, and not the name of a file."""
        return bool(MAGIC.search(str(location))) and not self.exists(location)


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden, by the convention of Hive and Spark: it is no data."""
    return name.startswith(("_", "."))


def read_whole(file: InputFile, *, limit: int) -> bytes:
    """Read a small file.

    Args:
        file: The file.
        limit: Largest size, in bytes.

    Raises:
        InputNotFoundError: There is no such file.
        DataError: It is larger than the limit.
        TryAgainError: The store does not answer.
    """
    if (size := file.look().size) > limit:
        raise DataError(
            f"{file} has {size:,} bytes, where textbatch writes {limit:,} at most",
            "it is not what it should be: name another, or make it anew",
        )
    with file.open() as opened:
        return opened.read(size)
