"""Names of files: those that come from outside, in listings of stores and manifests, and made ones.

A name decides where a file is written, so that each one is taken apart here.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import lru_cache
from pathlib import Path

from textbatch.errors import DataError

#: Of one part of a path, in all usual file systems.
MAX_NAME_BYTES = 255


def is_file_name(name: str) -> bool:
    """Whether a name relative to a folder can be that of a file below it.

    Args:
        name: Its parts with slashes between.

    Returns:
        False for what leads out of the folder, or to another file than the name says: a part that
        is empty, `.` or `..`, as an absolute name has; for a part that no file system takes,
        because it is too long; and for what is no text.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\0" in name:
        return False
    try:
        return all(len(os.fsencode(part)) <= MAX_NAME_BYTES for part in parts)
    except UnicodeEncodeError:
        return False


def place_in(folder: Path, name: str) -> Path:
    """The place of a name below a folder.

    Args:
        folder: Where it has to lie.
        name: Its parts with slashes between.

    Raises:
        DataError: The name leads out of the folder.
    """
    if not is_file_name(name):
        raise DataError(f"'{name}' is no name of a file in {folder}", "check where it comes from")
    return folder / name


def fitting_name(beginning: str, name: str, ending: str) -> str:
    """A name that is made from another one. If it would be too long, it is cut, and gets a hash.

    Args:
        beginning: Goes before the other name.
        name: The other name.
        ending: Goes behind it.
    """
    made = f"{beginning}{name}{ending}"
    if len(os.fsencode(made)) > MAX_NAME_BYTES:
        full = os.fsencode(name)
        mark = f"~{hashlib.sha256(full).hexdigest()[:16]}{ending}"
        room = MAX_NAME_BYTES - len(beginning) - len(mark)
        made = f"{beginning}{full[:room].decode('utf-8', 'ignore')}{mark}"
    return made


def hidden_beside(path: Path, ending: str) -> Path:
    """A hidden path beside another one. A name that would be too long is cut, and gets a hash.

    Args:
        path: The file or directory that it belongs to.
        ending: The end of the name.
    """
    return path.parent / fitting_name(".", path.name, ending)


def is_temporary_of(name: str, path: Path) -> bool:
    """Whether a name in the directory of a file is one that a run of any owner gives it meanwhile.

    Args:
        name: The name.
        path: The final path.
    """
    return _temporaries_of(path).fullmatch(name) is not None


@lru_cache(maxsize=4)  # asked for each of many names in a folder
def _temporaries_of(path: Path) -> re.Pattern[str]:
    any_run = "0" * 16
    known = hidden_beside(path, f".{any_run}.tmp").name.removesuffix(f"{any_run}.tmp")
    return re.compile(re.escape(known) + r"[0-9a-f]{16}\.tmp")
