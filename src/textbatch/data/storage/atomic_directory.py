"""Directories of files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textbatch.data.storage.atomic_file import (
    AtomicFile,
    state_of,
    sync_directory,
    take_rights,
    temporary_of,
)
from textbatch.data.storage.names import hidden_beside
from textbatch.data.storage.passing import begin_passing, end_passing
from textbatch.errors import OutputError, storage_errors


class NewDirectory:
    """A directory of files that is filled under a temporary name.

    Attributes:
        path: The temporary path.
    """

    def __init__(self, target: Path) -> None:
        """Choose a temporary name. Nothing is made yet.

        Args:
            target: The final path.
        """
        self.path = temporary_of(target, uuid.uuid4().hex[:16])
        self._target = target

    def create(self) -> None:
        """Make it, with the rights of the directory that it replaces."""
        old = state_of(self._target)
        begin_passing(self.path)
        os.mkdir(self.path, 0o700 if old else 0o777)  # noqa: PTH102 - one call of `os` a step
        if old:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                take_rights(descriptor, self._target, old)
            finally:
                os.close(descriptor)

    def write(self, name: str, data: bytes) -> None:
        """Write one file, with the rights of the file of this name that it replaces.

        Args:
            name: Name of the file; one in a folder has a slash.
            data: Its content.
        """
        if "/" in name:
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        file = AtomicFile(self._target / name, temporary=self.path / name)
        try:
            file.buffered.write(data)
            file.sync()
        finally:
            file.close()

    def move_into_place(self) -> None:
        """Move it to its final path. The directory that was there is deleted."""
        # A directory cannot replace a full one in one step, so the old one is moved away first.
        end_passing(self.path)
        aside = hidden_beside(self._target, f".{uuid.uuid4().hex[:16]}.old")
        with contextlib.suppress(FileNotFoundError):
            self._target.rename(aside)
        try:
            self.path.rename(self._target)
        except BaseException:
            with contextlib.suppress(OSError):
                aside.rename(self._target)
            raise
        sync_directory(self._target.parent)
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def atomic_directory(path: Path) -> Iterator[NewDirectory]:
    """Make a directory of files that appears whole, and replaces the directory that was there.

    If the body fails or is interrupted, nothing of it is left.

    Args:
        path: The final path; links are followed. A directory there is deleted with everything in
            it.

    Yields:
        The new directory; `write` its files.

    Raises:
        OutputError: The parent directory does not exist.
        AccessError: The parent directory is not writable.
        StorageError: The disk is full or failing.
    """
    with storage_errors(path, "cannot write", missing=OutputError):
        new = NewDirectory(path.resolve())
        try:
            new.create()
            yield new
            for folder in [one for one in new.path.rglob("*") if one.is_dir()]:
                sync_directory(folder)
            sync_directory(new.path)
            new.move_into_place()
        finally:
            shutil.rmtree(new.path, ignore_errors=True)
            end_passing(new.path)


@contextmanager
def removed_unless(path: Path) -> Iterator[None]:
    """Remove a directory that was just made, if the body fails.

    Args:
        path: The directory.
    """
    try:
        yield
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
