"""Directories that a command writes for other programs: they appear whole, and know their files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from textbatch.data.json_text import json_text
from textbatch.data.storage.atomic_directory import atomic_directory
from textbatch.data.storage.local import may_use
from textbatch.data.strict_json import parse_json
from textbatch.errors import AccessError, OutputError, storage_errors

#: The file that lists the files of a directory. Without it nobody may replace the directory.
LIST = "textbatch-files.json"
_MAX_LIST_BYTES = 1 << 20


def check_tree(path: Path, *, overwrite: bool) -> None:
    """Check that a directory may be written.

    Args:
        path: The directory.
        overwrite: Whether an older one may be replaced.

    Raises:
        OutputError: It exists and must stay, or is not one that `write_tree` wrote.
        AccessError: The directory around it is not writable.
    """
    with storage_errors(path, "cannot look at", missing=OutputError):
        if not path.parent.is_dir():
            raise OutputError(f"there is no directory {path.parent}", "create it first")
        if not may_use(path.parent, os.W_OK | os.X_OK):
            raise AccessError(f"cannot write in {path.parent}", "check the permissions")
        if not os.path.lexists(path):
            return
        if not overwrite:
            raise OutputError(f"{path} exists", "add --overwrite to replace it")
        if not _is_ours(path):
            raise OutputError(
                f"{path} exists and is no exported model, or holds other files too",
                "name another directory",
            )


def write_tree(path: Path, files: Mapping[str, bytes], *, overwrite: bool) -> None:
    """Write a directory of files, and the list of them; it appears whole.

    Args:
        path: The directory.
        files: Content of the files, by their paths in the directory.
        overwrite: Whether an older one may be replaced.

    Raises:
        OutputError: As in `check_tree`.
        StorageError: Writing failed. What was there is unchanged.
    """
    check_tree(path, overwrite=overwrite)
    listed = (json_text({"files": sorted(files)}, indent=1) + "\n").encode()
    with atomic_directory(path) as new:
        for name, data in {**files, LIST: listed}.items():
            new.write(name, data)


def _is_ours(path: Path) -> bool:
    # All files beside those of the list would be deleted.
    try:
        with (path / LIST).open("rb") as file:
            listed = parse_json(file.read(_MAX_LIST_BYTES))
        names = {*listed["files"], LIST}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    there = {
        os.fspath((Path(folder) / name).relative_to(path))
        for folder, _, inner in os.walk(path)
        for name in inner
    }
    return there <= names
