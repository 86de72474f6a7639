"""Paths as callers give them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from textbatch.locations import Location, location_of

PathLike = str | os.PathLike[str]


def paths_of(paths: PathLike | Sequence[PathLike]) -> tuple[Path, ...]:
    """One path or several."""
    several = [paths] if isinstance(paths, str | os.PathLike) else paths
    return tuple(map(Path, several))


def path_of(path: PathLike | None) -> Path | None:
    """A path, or none."""
    return None if path is None else Path(path)


def location_or_none(path: PathLike | None) -> Location | None:
    """A path or a URI, or none."""
    return None if path is None else location_of(path)
