"""Removes what dead runs left in an output folder: one look for all parts, not one for each."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from textbatch.data.storage.atomic_file import remove_unlocked, temporary_of

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp", re.DOTALL)
_ANY_OWNER = "0" * 16
_ENDING = len(f"{_ANY_OWNER}.tmp")


def remove_leftovers(folder: Path, parts: Iterable[str]) -> None:
    """Remove the temporary files of parts. What a living writer has open stays.

    Args:
        folder: The output.
        parts: The names of all its parts.
    """
    found = []
    # Nobody is harmed by what is left where a folder cannot be read.
    for above, _, names in os.walk(folder):
        found += [Path(above, name) for name in names if _TEMPORARY.fullmatch(name)]
    if not found:
        return
    ours = {_without_owner(temporary_of(folder / part, _ANY_OWNER)) for part in parts}
    for path in found:
        if _without_owner(path) in ours:
            with contextlib.suppress(OSError):
                remove_unlocked(path)


def _without_owner(path: Path) -> str:
    return os.fspath(path)[:-_ENDING]
