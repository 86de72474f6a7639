"""One upload to a store that takes conditions: it replaces what was looked at, and nothing else.

A call that was given up may still arrive. Its condition then holds no more, if another has
published since.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from textbatch.data.storage.file_state import FileState, replaced_meanwhile
from textbatch.data.storage.location import RemotePath
from textbatch.data.storage.retry import retried
from textbatch.errors import OutputError

#: Name of the entry of an object's metadata by which an upload recognises its own object.
MARK = "textbatch_upload"


class ConditionError(OSError):
    """The store holds another version than the one that was to be replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands where an object will be.

    Attributes:
        version: Its version, as a condition names it; empty where there is nothing.
        mark: The mark of the upload that made it; empty if none did.
    """

    version: str = ""
    mark: str = ""


def upload_once(
    local: Path,
    path: RemotePath,
    *,
    overwrite: bool,
    instead_of: FileState | None = None,
    look: Callable[[], Standing],
    upload: Callable[[Standing, str], None],
) -> None:
    """Upload a file, again and again until the store has taken it.

    Args:
        local: The finished file.
        path: Where it goes.
        overwrite: Whether it may replace another object.
        instead_of: The one object that it may replace; None for any.
        look: Looks at what stands there.
        upload: Called with what stands there and the mark to give; raises `ConditionError` where
            something else stands there by now.

    Raises:
        OutputError: There is an object, and it must not be replaced.
        AccessError: The store does not allow it.
        TryAgainError: The store failed for too long, or holds another object than `instead_of`.
    """
    mark = os.urandom(8).hex()

    def once() -> None:
        standing = look()
        if standing.mark == mark:  # the answer to an earlier call was lost
            return
        # Listings have tags without the quotes that conditions have.
        if instead_of and standing.version.strip('"') != instead_of.tag:
            raise replaced_meanwhile(path)
        if standing.version and not overwrite:
            raise OutputError(f"{path} exists", "add --overwrite to replace it")
        upload(standing, mark)

    retried(once, path, "cannot write", size=local.stat().st_size)
