"""Files of a bundle: regular ones, of the size and with the sha256 that the manifest lists."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from textbatch.data.strict_json import Count, Sha256
from textbatch.errors import BundleError, storage_errors
from textbatch.model.layout import RESTORE

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """A file in the manifest: its size in bytes, and its sha256 in hex."""

    size: Count
    sha256: Sha256


def read_whole(path: Path, name: str, listed: ListedFile) -> bytes:
    """Read a file. Its content is in memory once.

    Args:
        path: The directory.
        name: Name of the file.
        listed: What the manifest lists.

    Raises:
        BundleError: It is not what the manifest lists, or not a regular file.
    """
    with opened(path / name, listed.size) as file:
        data = file.read(listed.size)
        if file.read(1):
            raise BundleError(f"{path / name} grows while it is read", RESTORE)
    _compare(path, name, listed, len(data), hashlib.sha256(data).hexdigest())
    return data


def check_content(path: Path, name: str, listed: ListedFile) -> None:
    """Check that a file is what the manifest lists, without keeping its content.

    Args:
        path: The directory.
        name: Name of the file.
        listed: What the manifest lists.

    Raises:
        BundleError: It is not, or it is not a regular file.
    """
    digest, size = hashlib.sha256(), 0
    with opened(path / name, listed.size) as file:
        while size <= listed.size and (block := file.read(_BLOCK_BYTES)):
            digest.update(block)
            size += len(block)
    _compare(path, name, listed, size, digest.hexdigest())


def _compare(path: Path, name: str, listed: ListedFile, size: int, sha256: str) -> None:
    if (size, sha256) != (listed.size, listed.sha256):
        raise BundleError(f"{path}: file '{name}' is damaged (its sha256 differs)", RESTORE)


@contextmanager
def opened(path: Path, most: int) -> Iterator[BinaryIO]:
    """Open a regular file. Links are not followed.

    Args:
        path: Of the file.
        most: The most bytes that it may have.

    Raises:
        BundleError: It is no regular file, or larger.
    """
    with storage_errors(path, "cannot read"):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise BundleError(f"{path} is not a regular file", RESTORE)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            check_size(path, os.fstat(descriptor).st_size, most)
            yield file


def check_size(path: Path, size: int, most: int) -> None:
    """Check the size of a file.

    Args:
        path: Of the file.
        size: Its bytes.
        most: The most bytes that it may have.

    Raises:
        BundleError: It is larger.
    """
    if size > most:
        raise BundleError(f"{path} has {size} bytes, more than the {most} allowed", RESTORE)
