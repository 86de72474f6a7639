"""Files that appear whole or not at all: created anew, hashed as they grow, synced, moved.

Everything goes through `os`, one call a step, so that tests can make any of them fail.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from textbatch.errors import OutputError, storage_errors

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_BUFFER_BYTES = 1 << 20
_MAX_NAME_BYTES = 255
_ACCESS_LIST = "system.posix_acl_access"


class NewFile(io.RawIOBase):
    """A file that did not exist; use `buffered` for many small writes.

    Attributes:
        sha256: Of all that was written, in order.
    """

    # Until there is a file: the object is closed, too, where none could be created.
    _descriptor = -1

    def __init__(self, path: Path, mode: int = 0o666) -> None:
        """Create it.

        Raises:
            OSError: There is something at the path, or it cannot be created.
        """
        super().__init__()
        self.path = path
        self.sha256 = hashlib.sha256()
        self._position = 0
        # O_EXCL: a link planted under the name is not followed.
        self._descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, mode)
        self.buffered = io.BufferedWriter(self, _BUFFER_BYTES)

    def writable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Bytes written."""
        return self._position

    def write(self, data: ReadableBuffer, /) -> int:
        """Append bytes; returns how many the system took."""
        written = os.write(self._descriptor, data)
        self.sha256.update(memoryview(data)[:written])
        self._position += written
        return written

    def read_at(self, position: int, size: int) -> bytes:
        """Read back, to check or to find a place."""
        return os.pread(self._descriptor, size, position)

    def patch(self, position: int, data: bytes) -> None:
        """Overwrite bytes in place; the hash does not know of it."""
        if os.pwrite(self._descriptor, data, position) != len(data):
            raise OSError("short write")

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        self.buffered.flush()
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file; what waits in `buffered` is dropped unless it was flushed."""
        if not self.closed:
            super().close()
            if self._descriptor >= 0:
                os.close(self._descriptor)

    def discard(self) -> None:
        """Close and remove the file, whatever state it is in."""
        with contextlib.suppress(OSError, ValueError):
            self.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)  # noqa: PTH108 - one call of `os` a step


class AtomicFile(NewFile):
    """A new file that takes the place of another in one step, with its mode and its owner.

    `sync`, `close`, `move_into_place` and `sync_directory` are the steps; `atomic_file` takes
    them all.

    Attributes:
        target: Where readers look for it.
        published: Whether it stands there.
    """

    def __init__(self, target: Path, *, temporary: Path, private: bool = False) -> None:
        """Create it under its temporary name.

        Args:
            target: Where it will stand.
            temporary: Where it grows, in the same directory.
            private: Whether it is for its owner's eyes alone, whatever stands there now.

        Raises:
            OSError: There is something at the temporary place, or it cannot be created.
        """
        self.target = target
        self.published = False
        self._private = private
        self._replaced = state_of(target)
        # What was for the owner alone is so from the first byte on.
        super().__init__(temporary, 0o600 if private or self._replaced else 0o666)

    def sync(self) -> None:
        """Give it the rights of the file that it replaces; make it survive a power cut."""
        self._replaced = state_of(self.target) or self._replaced
        if self._replaced and not self._private:
            take_rights(self._descriptor, self.target, self._replaced)
        super().sync()

    def move_into_place(self) -> None:
        """Put it where readers look for it."""
        os.replace(self.path, self.target)  # noqa: PTH105 - one call of `os` a step
        self.published = True


@contextmanager
def atomic_file(
    path: Path, *, owner: str | None = None, private: bool = False
) -> Iterator[AtomicFile]:
    """A file that readers see as it was, or whole; after a power cut too.

    Where the body fails, or is interrupted, nothing of it is left.

    Args:
        path: Where it will stand. Its directory must exist.
        owner: 16 characters that tell who alone may write it now, as whoever holds the lock of
            an output: what a dead run of the same owner left is removed. None for a random name.
        private: Whether it is for its owner's eyes alone.

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
        file: AtomicFile | None = None
        try:
            file = AtomicFile(path, temporary=temporary, private=private)
            yield file
            file.sync()
            file.close()
            file.move_into_place()
        except BaseException:
            if file:
                file.discard()
            # An interruption may have come between making the file and minding it.
            with contextlib.suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108 - one call of `os` a step
            raise
        sync_directory(path.parent)


def temporary_of(path: Path, owner: str) -> Path:
    """Where a file grows before it is moved into its place."""
    return hidden_beside(path, f".{owner}.tmp")


def hidden_beside(path: Path, ending: str) -> Path:
    """A hidden name beside a path; what is too long for a file's name is cut, and told by a hash.

    Args:
        path: The file or directory that it belongs to.
        ending: Of the name.
    """
    name = f".{path.name}{ending}"
    if len(os.fsencode(name)) > _MAX_NAME_BYTES:
        full = os.fsencode(path.name)
        mark = f"~{hashlib.sha256(full).hexdigest()[:16]}{ending}"
        room = _MAX_NAME_BYTES - 1 - len(mark)
        name = f".{full[:room].decode('utf-8', 'ignore')}{mark}"
    return path.with_name(name)


def take_rights(descriptor: int, old: Path, state: os.stat_result) -> None:
    """Give a file or directory the owner, mode and access list of the one that it replaces.

    Where the system does not allow an owner, the new group gets no more than everybody.

    Args:
        descriptor: Of the new one.
        old: The one to be replaced.
        state: Of that one.
    """
    mode = state.st_mode & 0o777
    without_group = mode & 0o707 | (mode & 0o007) << 3
    if not (_owned(descriptor, state.st_uid, state.st_gid) or _owned(descriptor, -1, state.st_gid)):
        mode = without_group
    with contextlib.suppress(OSError):
        os.fchmod(descriptor, mode)
    with contextlib.suppress(OSError):
        access = os.getxattr(old, _ACCESS_LIST)
        # Beside an access list the group's bits are what anybody on it may have at most.
        os.fchmod(descriptor, without_group)
        os.setxattr(descriptor, _ACCESS_LIST, access)


def sync_directory(path: Path) -> None:
    """Make a directory's entries survive a power cut, where the file system can."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        return  # it may be written to but not be read, and only what can be read can be synced
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems know no such thing for directories.
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
    """What the system tells of a file or directory; None where there is none."""
    try:
        return os.stat(path)  # noqa: PTH116 - one call of `os` a step
    except (FileNotFoundError, NotADirectoryError):
        return None
