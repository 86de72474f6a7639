"""Names of files that come from outside: listings of stores, manifests.

A name decides where a file is written, so that each one is taken apart here.
"""

from __future__ import annotations

from pathlib import Path

from textbatch.errors import DataError


def is_file_name(name: str) -> bool:
    """Whether a name relative to a folder can be that of a file below it.

    Args:
        name: Its parts with slashes between.

    Returns:
        False for what leads out of the folder, or to another file than the name says: a part that
        is empty, `.` or `..`, as an absolute name has; and for what is no text.
    """
    if any(part in ("", ".", "..") for part in name.split("/")):
        return False
    return "\0" not in name


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
