"""Files on this machine."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import shutil
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from textbatch.data.storage.atomic_file import atomic_file, remove_dead, sync_directory
from textbatch.data.storage.file_state import FileState, check_unreplaced
from textbatch.data.storage.files import FileIO, Found, InputFile, OutputFile, is_hidden
from textbatch.data.storage.location import folder_of_pattern, local
from textbatch.data.storage.walk import Entry, Walk
from textbatch.data.storage.write_through import write_through
from textbatch.errors import (
    AccessError,
    InputNotFoundError,
    OutputError,
    storage_errors,
)

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_EDGE_BYTES = 64 << 10
_DESCRIPTOR = re.compile(r"/proc/[^/]+/(task/\d+/)?fd/\d+")


class _Bytes(io.FileIO):
    """Bytes of a file. Where the system says EAGAIN, Python returns None, which nobody expects."""

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        read = super().readinto(buffer)
        if read is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return read


class LocalInput(InputFile):
    """A file on this machine.

    Args:
        path: Path of the file.
        shown: Its name in messages; None for its path.
    """

    costs_requests = False

    def __init__(self, path: Path, *, shown: str | None = None) -> None:
        self.location: Path = path
        self._shown = shown

    @property
    def canonical(self) -> str:
        """Its path, with links followed."""
        return os.path.realpath(self.location)

    def exists(self) -> bool:
        """Whether there is a regular file. Links are followed."""
        return self.location.is_file()

    def look(self) -> FileState:
        """Look at the file; see `InputFile`."""
        with storage_errors(self, "cannot read"):
            found = self.location.stat()
        if stat.S_ISDIR(found.st_mode):
            raise InputNotFoundError(f"{self} is a directory", "name one file")
        tag = f"{found.st_dev}:{found.st_ino}:{found.st_ctime_ns}"
        return FileState(size=found.st_size, modified=found.st_mtime_ns, tag=tag)

    def fingerprint(self) -> str:
        """The sha256 of the first and the last 64 KiB, where Parquet has its footer."""
        digest = hashlib.sha256()
        with storage_errors(self, "cannot read"):
            if self.location.is_file():
                with self._opened() as file:
                    digest.update(file.read(_EDGE_BYTES))
                    file.seek(max(0, os.fstat(file.fileno()).st_size - _EDGE_BYTES))
                    digest.update(file.read(_EDGE_BYTES))
        return digest.hexdigest()

    def content_hash(self) -> str:
        """The sha256 of the whole file."""
        with storage_errors(self, "cannot read"), self._opened() as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def open(self) -> io.BufferedReader:
        """Open it to read at any place."""
        with storage_errors(self, "cannot read"):
            return self._opened()

    def _opened(self) -> io.BufferedReader:
        return io.BufferedReader(_Bytes(self.location))

    def open_random(self) -> pa.NativeFile:
        """Open it for Arrow."""
        # As bytes, because Arrow accepts only names that are UTF-8.
        return pa.OSFile(os.fsencode(self.location), "rb")

    def open_stream(self) -> pa.NativeFile:
        """Open it for Arrow."""
        return self.open_random()

    def __str__(self) -> str:
        return self._shown or super().__str__()


class LocalOutput(OutputFile):
    """A place on this machine."""

    def __init__(self, path: Path) -> None:
        self.location: Path = path

    @property
    def staged(self) -> bool:
        """Whether it is a device or a pipe, which a finished file is copied to."""
        return is_stream(self.location)

    def exists(self) -> bool:
        """Whether there is anything at this place."""
        with storage_errors(self.location, "cannot look at"):
            return self.location.exists()

    def check(self, *, overwrite: bool = True, stream: bool = False) -> None:
        """Check the place; see `OutputFile`."""
        path = self.location
        if is_stream(path):
            _check_stream(path, allowed=stream)
            return
        with storage_errors(path, "cannot look at", missing=OutputError):
            if path.is_dir():
                raise OutputError(f"{path} is a directory", "name a file")
            if path.exists() and not path.is_file():
                raise OutputError(f"{path} is no regular file", "name another one")
            if path.exists() and not overwrite:
                raise OutputError(f"{path} exists", "add --overwrite to replace it")
            if not path.parent.is_dir():
                raise OutputError(f"there is no directory {path.parent}", "create it first")
        if not may_use(path.parent, os.W_OK | os.X_OK):
            raise AccessError(f"cannot write in {path.parent}", "check the permissions")

    def publish(self, finished: Path, *, overwrite: bool = True) -> None:
        """Move a finished file here in one step; see `OutputFile`."""
        if self.staged:
            _copy(finished, self.location)
            return
        self.check(overwrite=overwrite)
        with storage_errors(self.location, "cannot write", missing=OutputError):
            os.replace(finished, self.location)  # noqa: PTH105 - one call of `os` a step
            sync_directory(self.location.parent)

    def write(self, data: bytes) -> None:
        """Write a small file beside its place, and move it there."""
        if self.staged:
            with storage_errors(self.location, "cannot write", missing=OutputError):
                write_through(self.location, [data])
            return
        with atomic_file(self.location) as file:
            file.buffered.write(data)

    def swap(self, data: bytes, seen: FileState | None) -> None:
        """Replace the file that was looked at; see `OutputFile`."""
        now = self.to_input_file().look() if self.exists() else None
        check_unreplaced(self.location, seen, now)
        self.write(data)

    def remove(self) -> None:
        """Remove the file, if there is one."""
        with storage_errors(self.location, "cannot remove"):
            self.location.unlink(missing_ok=True)

    def remove_leftovers(self) -> None:
        """Remove temporary files that dead writers of this file left."""
        remove_dead(self.location)

    def to_input_file(self) -> LocalInput:
        """The same place, to be read."""
        return LocalInput(self.location)


def is_stream(path: Path) -> bool:
    """Whether a place is written through: a pipe, or a device such as `/dev/stdout`.

    Args:
        path: The place.
    """
    # What stands behind /dev/stdout may be a file, and yet the link must stay what it is. Behind
    # /proc/self/cwd are files like any others.
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - links are not followed
    if whole.is_relative_to("/dev") or _DESCRIPTOR.fullmatch(os.fspath(whole)):
        return not whole.is_relative_to("/dev/shm")
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def may_use(path: Path, wanted: int) -> bool:
    """Whether this process has rights on a file or directory.

    Args:
        path: The file or directory.
        wanted: The rights, such as `os.W_OK`.
    """
    # It says no too where the call fails, which may be a moment of a network's file system.
    return os.access(path, wanted) or os.access(path, wanted)


def _check_stream(path: Path, *, allowed: bool) -> None:
    with storage_errors(path, "cannot look at", missing=OutputError):
        mode = path.stat().st_mode
    if not allowed or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode) or stat.S_ISDIR(mode):
        raise OutputError(f"{path} is a device or a pipe", "name a file")
    if not may_use(path, os.W_OK):
        raise AccessError(f"cannot write to {path}", "check the permissions")


def _copy(finished: Path, stream: Path) -> None:
    with storage_errors(stream, "cannot write", missing=OutputError):
        with finished.open("rb") as file:
            write_through(stream, iter(partial(file.read, _EDGE_BYTES), b""))
        finished.unlink()


class LocalFileIO(FileIO[Path]):
    """Files on this machine."""

    def new_input(self, location: Path) -> LocalInput:
        """A file to be read."""
        return LocalInput(location)

    def new_output(self, location: Path) -> LocalOutput:
        """A place for a file."""
        return LocalOutput(location)

    def is_folder(self, location: Path) -> bool:
        """Whether there is a directory."""
        with storage_errors(location, "cannot look at"):
            return location.is_dir()

    def exists(self, location: Path) -> bool:
        """Whether there is anything with this name, even a broken link."""
        return os.path.lexists(location)

    def make_folder(self, location: Path) -> None:
        """Make a directory, if there is none."""
        with storage_errors(location, "cannot make", missing=OutputError):
            location.mkdir(exist_ok=True)
            sync_directory(location.parent)

    def remove_folder(self, location: Path) -> None:
        """Remove a directory with all that is in it, as far as that is possible."""
        shutil.rmtree(location, ignore_errors=True)

    def files_below(self, folder: Path) -> Iterator[Found]:
        """Yield all files below a directory; see `FileIO`."""
        for entry in sorted(Walk(folder).entries(), key=lambda entry: entry.name.split("/")):
            if is_hidden(entry.path.name) or not entry.is_folder:
                yield _found(entry)

    def matching(self, pattern: Path) -> Iterator[Found]:
        """Yield what a glob matches; see `FileIO`."""
        root = local(folder_of_pattern(pattern))
        if not root.is_dir():
            return
        parts = pattern.parts[len(root.parts) :]
        for entry in sorted(Walk(root, parts).entries(), key=lambda entry: entry.name):
            if not entry.is_folder:
                yield _found(entry)


def _found(entry: Entry) -> Found:
    hidden = any(map(is_hidden, entry.name.split("/")))
    return Found(name=entry.name, file=LocalInput(entry.path), hidden=hidden)
