"""Directories on this machine that no other user may have touched."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from textbatch.errors import AccessError, OutputError, storage_errors


def open_private(path: Path, flags: int) -> int:
    """Open a file of this user's own, which no other name leads to.

    Args:
        path: Of the file.
        flags: Of `os.open`; links are not followed. A new file is for this user alone.

    Returns:
        The descriptor.

    Raises:
        AccessError: It belongs to another user, or has another name too: whatever is written to
            it, or cut off, would be somebody else's.
        OSError: It cannot be opened.
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    found = os.fstat(descriptor)
    # Without any name it has just been removed by the run before.
    if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_nlink <= 1:
        return descriptor
    os.close(descriptor)
    raise AccessError(
        f"{path} is linked from elsewhere, or is not this user's file", "remove it, then run again"
    )


def private_directory(path: Path) -> Path:
    """Make a directory that only this user may enter, or check the one that is there.

    Args:
        path: Of the directory. Those above it are made where they are missing.

    Returns:
        The same path.

    Raises:
        AccessError: It belongs to another user, or is a link: what is in it cannot be trusted.
        OutputError: Something else stands there, or it cannot be made.
    """
    with storage_errors(path, "cannot create", missing=OutputError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            found = path.lstat()
        else:
            return path
        if stat.S_ISLNK(found.st_mode) or found.st_uid != os.getuid():
            raise AccessError(
                f"{path} is a link or belongs to another user",
                "set XDG_CACHE_HOME to a directory of your own",
            )
        if not stat.S_ISDIR(found.st_mode):
            raise OutputError(f"{path} is not a directory", "move it away")
        if found.st_mode & 0o077:
            path.chmod(0o700)
    return path
