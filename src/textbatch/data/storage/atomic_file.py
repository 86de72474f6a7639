"""Files that appear whole or not at all: created anew, hashed while written, synced, moved.

Everything goes through `os`, one call for each step, so that tests can make each of them fail.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import io
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from textbatch.data.storage.names import hidden_beside, is_temporary_of
from textbatch.data.storage.passing import begin_passing, end_passing
from textbatch.errors import OutputError, storage_errors

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_BUFFER_BYTES = 1 << 20
_ACCESS_LIST = "system.posix_acl_access"


class NewFile(io.RawIOBase):
    """A file that did not exist before. Use `buffered` for many small writes.

    Attributes:
        sha256: Hash of everything that was written, in order.
    """

    # There is no file yet. Python closes the object also if no file could be created.
    _descriptor = -1

    def __init__(self, path: Path, mode: int = 0o666) -> None:
        """Create it.

        Args:
            path: Its path.
            mode: Its permissions, before the umask.

        Raises:
            OSError: There is something at the path, or it cannot be created.
        """
        super().__init__()
        self.path = path
        self.sha256 = hashlib.sha256()
        self._position = 0
        # O_EXCL does not follow a link that somebody has put at this path.
        self._descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, mode)
        self.buffered = io.BufferedWriter(self, _BUFFER_BYTES)

    def writable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Number of bytes written."""
        return self._position

    def write(self, data: ReadableBuffer, /) -> int:
        """Append bytes. Return how many of them the system took."""
        written = os.write(self._descriptor, data)
        self.sha256.update(memoryview(data)[:written])
        self._position += written
        return written

    def read_at(self, position: int, size: int) -> bytes:
        """Read back what was written.

        Args:
            position: Where to begin, in bytes.
            size: Number of bytes.
        """
        return os.pread(self._descriptor, size, position)

    def patch(self, position: int, data: bytes) -> None:
        """Overwrite bytes. The hash does not change.

        Args:
            position: Where to begin, in bytes.
            data: The new bytes.

        Raises:
            OSError: The system did not take all of them.
        """
        if os.pwrite(self._descriptor, data, position) != len(data):
            raise OSError("short write")

    def sync(self) -> None:
        """Write everything to the disk, so that it survives a power cut."""
        self.buffered.flush()
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file. What is still in `buffered` is dropped, unless it was flushed."""
        if not self.closed:
            super().close()
            if self._descriptor >= 0:
                os.close(self._descriptor)

    def discard(self) -> None:
        """Close and remove the file, whatever its state."""
        with contextlib.suppress(OSError, ValueError):
            self.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)  # noqa: PTH108 - one call of `os` a step
        end_passing(self.path)


class AtomicFile(NewFile):
    """A new file that replaces another one in one step, with the same mode and owner.

    The steps are `sync`, `close`, `move_into_place`, `sync_directory`; `atomic_file` does them.

    Attributes:
        target: The final path.
        published: Whether the file is there.
    """

    def __init__(
        self, target: Path, *, temporary: Path, private: bool = False, like: Path | None = None
    ) -> None:
        """Create it under its temporary name.

        Args:
            target: The final path.
            temporary: The temporary path, in the same directory.
            private: Whether only its owner may read it, whatever file is there now.
            like: The file whose rights it gets; None for the file that it replaces.

        Raises:
            OSError: There is something at the temporary path, or it cannot be created.
        """
        self.target = target
        self.published = False
        self._private = private
        self._like = like or target
        self._replaced = state_of(self._like)
        # A private file is private from its first byte on.
        if temporary.parent == target.parent:  # otherwise its folder passes
            begin_passing(temporary)
        super().__init__(temporary, 0o600 if private or self._replaced else 0o666)
        # By the lock `remove_dead` tells a living writer's file. It is dropped with its process.
        with contextlib.suppress(OSError):
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def sync(self) -> None:
        """Give it the rights of the file that it replaces, and write it to the disk."""
        self._replaced = state_of(self._like) or self._replaced
        if self._replaced and not self._private:
            take_rights(self._descriptor, self._like, self._replaced)
        super().sync()

    def move_into_place(self) -> None:
        """Move it to its final path."""
        os.replace(self.path, self.target)  # noqa: PTH105 - one call of `os` a step
        self.published = True
        end_passing(self.path)


@contextmanager
def atomic_file(
    path: Path, *, owner: str | None = None, private: bool = False, like: Path | None = None
) -> Iterator[AtomicFile]:
    """Make a file so that readers see the old one or the whole new one, even after a power cut.

    If the body fails or is interrupted, nothing of it is left.

    Args:
        path: The final path. Its directory must exist.
        owner: 16 characters that name the one who may write it now, such as the holder of the lock
            of an output. What a dead run of the same owner left is removed. None for a random
            name; then what dead writers of this file left is removed.
        private: Whether only its owner may read it.
        like: The file whose rights it gets; None for the file that it replaces.

    Yields:
        The file; write to its `buffered`.

    Raises:
        OutputError: The directory does not exist.
        AccessError: The directory is not writable.
        StorageError: The disk is full or failing.
    """
    temporary = temporary_of(path, owner or uuid.uuid4().hex[:16])
    with storage_errors(path, "cannot write", missing=OutputError):
        if owner:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)  # noqa: PTH108 - one call of `os` a step
        else:
            remove_dead(path)
        file: AtomicFile | None = None
        try:
            file = AtomicFile(path, temporary=temporary, private=private, like=like)
            yield file
            file.sync()
            file.close()
            file.move_into_place()
        except BaseException:
            if file:
                file.discard()
            # The interruption may have come after the file was made and before `file` was set.
            with contextlib.suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108 - one call of `os` a step
            raise
        sync_directory(path.parent)


def temporary_of(path: Path, owner: str) -> Path:
    """The temporary path of a file, in the same directory.

    Args:
        path: The final path.
        owner: 16 characters that name its writer.
    """
    return hidden_beside(path, f".{owner}.tmp")


def remove_dead(path: Path) -> None:
    """Remove the temporary files that writers of a file left when they died.

    Args:
        path: The final path. What living writers have begun stays.
    """
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        for name in [entry.path for entry in entries if is_temporary_of(entry.name, path=path)]:
            with contextlib.suppress(OSError):
                remove_unlocked(name)


def remove_unlocked(name: str | Path) -> None:
    """Remove a temporary file; an `OSError` if its writer lives."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(name)  # noqa: PTH108 - one call of `os` a step
    finally:
        os.close(descriptor)


def take_rights(descriptor: int, old: Path, state: os.stat_result) -> None:
    """Give a file or directory the owner, mode and access list of the one that it replaces.

    If the system does not allow to set the owner, the new group gets no more rights than everybody.

    Args:
        descriptor: Descriptor of the new one.
        old: Path of the old one.
        state: State of the old one.
    """
    mode = state.st_mode & 0o777
    without_group = mode & 0o707 | (mode & 0o007) << 3
    if not (_owned(descriptor, state.st_uid, state.st_gid) or _owned(descriptor, -1, state.st_gid)):
        mode = without_group
    with contextlib.suppress(OSError):
        os.fchmod(descriptor, mode)
    with contextlib.suppress(OSError):
        access = os.getxattr(old, _ACCESS_LIST)
        # With an access list, the bits of the group limit the rights of everybody on the list.
        os.fchmod(descriptor, without_group)
        os.setxattr(descriptor, _ACCESS_LIST, access)


def sync_directory(path: Path) -> None:
    """Write the entries of a directory to the disk, if the file system can."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        return  # it can be written but not read, and only what can be read can be synced
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot sync directories.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _owned(descriptor: int, user: int, group: int) -> bool:
    try:
        os.fchown(descriptor, user, group)
    except OSError:
        return False
    return True


def state_of(path: Path) -> os.stat_result | None:
    """The state of a file or directory; None if there is none."""
    try:
        return os.stat(path)  # noqa: PTH116 - one call of `os` a step
    except (FileNotFoundError, NotADirectoryError):
        return None
