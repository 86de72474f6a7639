"""Paths as callers give them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

PathLike = str | os.PathLike[str]


def paths_of(paths: PathLike | Sequence[PathLike]) -> tuple[Path, ...]:
    """One path or several."""
    several = [paths] if isinstance(paths, str | os.PathLike) else paths
    return tuple(map(Path, several))


def path_of(path: PathLike | None) -> Path | None:
    """A path, or none."""
    return None if path is None else Path(path)
