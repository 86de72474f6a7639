"""The `key=value` folders above a file, as Hive names them."""

from __future__ import annotations

import re
from pathlib import PurePath, PurePosixPath
from urllib.parse import unquote

#: What Hive writes for a null partition value.
_NULL = "__HIVE_DEFAULT_PARTITION__"
_PARTITION = re.compile(r"([^=/]+)=([^/]*)")


def is_partition(folder: str) -> bool:
    """Tell whether a folder's name is `key=value`.

    Args:
        folder: The name.
    """
    return _PARTITION.fullmatch(folder) is not None


def partitions_of(name: str) -> tuple[tuple[str, str | None], ...]:
    """Read the folders above a file.

    Args:
        name: The file's path.

    Returns:
        Keys and values in order, decoded; None is Hive's null.
    """
    found = []
    for folder in PurePosixPath(name).parts[:-1]:
        if match := _PARTITION.fullmatch(folder):
            value = None if match[2] == _NULL else unquote(match[2])
            found.append((unquote(match[1]), value))
    return tuple(found)


def name_with_partitions(path: PurePath) -> str:
    """Return a file's name with the `key=value` folders above it.

    A file that is given alone, as shells give those of a pattern, keeps its partitions so.

    Args:
        path: The file's path.
    """
    name = path.name
    for folder in path.parents:
        if not is_partition(folder.name):
            break
        name = f"{folder.name}/{name}"
    return name
