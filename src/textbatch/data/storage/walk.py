"""Walks through folders of this machine: each file once and soon, whatever their links."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from textbatch.data.storage.files import is_hidden
from textbatch.data.storage.patterns import expression_of_part
from textbatch.errors import TextbatchError, storage_errors

#: How many parts of a glob a path may have matched. With `**` there are several answers.
_Matched = frozenset[int]


@dataclass(frozen=True, slots=True)
class Entry:
    """What was found in a folder.

    Attributes:
        name: Its name relative to the folder where the walk began, with slashes.
        path: Its path.
        is_folder: Whether it is a folder, or a link to one.
    """

    name: str
    path: Path
    is_folder: bool


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path
    prefix: str
    matched: _Matched


class Walk:
    """All that is below a folder; or what a glob matches there, with all that is below these.

    Links are followed. Where several paths lead to a file, it is found once, by the path without
    links if there is one. Of a hidden folder nothing is found, unless the glob itself leads in.

    Args:
        root: The folder where to begin.
        parts: The parts of the glob, below that folder. Without any, everything matches.
        strict: Whether a folder that cannot be listed is an error; if not, it is passed over.
    """

    def __init__(self, root: Path, parts: Sequence[str] = (), *, strict: bool = True) -> None:
        self._root, self._parts, self._strict = root, tuple(parts), strict
        self._expressions = [expression_of_part(part) for part in parts]
        self._folders: set[tuple[int, int, _Matched]] = set()
        self._found: set[tuple[int, int, str]] = set()

    def entries(self) -> Iterator[Entry]:
        """Yield what matches, folders too, in any order.

        Raises:
            InputNotFoundError: There is no such folder.
            AccessError: A folder may not be listed.
            StorageError: A folder cannot be listed.
        """
        # Those behind links last, so that a file is found by its own path.
        own, linked = deque([_Folder(self._root, "", self._with_none({0}))]), deque[_Folder]()
        while own or linked:
            folder = (own or linked).popleft()
            try:
                with storage_errors(folder.path, "cannot list"):
                    here, entries = self._listed(folder)
            except TextbatchError:
                if self._strict:
                    raise
                continue
            for entry in entries:
                name = f"{folder.prefix}{entry.name}"
                matched, is_folder = self._next(folder.matched, entry.name), _is_folder(entry)
                if len(self._parts) in matched and (*here, entry.name) not in self._found:
                    self._found.add((*here, entry.name))
                    yield Entry(name, Path(entry.path), is_folder)
                if is_hidden(entry.name):
                    matched -= {len(self._parts)}
                if is_folder and matched:
                    inner = _Folder(Path(entry.path), f"{name}/", matched)
                    (linked if entry.is_symlink() else own).append(inner)

    def _listed(self, folder: _Folder) -> tuple[tuple[int, int], list[os.DirEntry[str]]]:
        """Device and inode of a folder, and what is in it; nothing if that has been seen."""
        found = folder.path.stat()
        here = (found.st_dev, found.st_ino)
        if (*here, folder.matched) in self._folders:
            return here, []
        self._folders.add((*here, folder.matched))
        with os.scandir(folder.path) as scan:
            return here, sorted(scan, key=lambda entry: entry.name)

    def _next(self, matched: _Matched, name: str) -> _Matched:
        """How many parts are matched with one more name."""
        return self._with_none(
            after for before in matched if (after := self._one(before, name)) is not None
        )

    def _one(self, before: int, name: str) -> int | None:
        if before == len(self._parts):
            return before
        part = self._parts[before]
        if name.startswith(".") and not part.startswith("."):
            return None  # as in a shell
        if part == "**":
            return before + (before == len(self._parts) - 1)
        return before + 1 if self._expressions[before].fullmatch(name) else None

    def _with_none(self, matched: Iterable[int]) -> _Matched:
        """Add what is matched where a `**` stands for no folder. The last one stands for some."""
        found = set(matched)
        for number, part in enumerate(self._parts[:-1]):
            if number in found and part == "**":
                found.add(number + 1)
        return frozenset(found)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # such as a link to itself, which is told when it is opened
        return False
