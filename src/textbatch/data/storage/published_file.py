"""Files that others publish: fetched once over HTTPS, checked, and kept in the cache.

The address, the size and the checksum of a file are part of our code, so a server can neither
choose what is read nor how much. A download that breaks off goes on where it was, also in a later
run. Nothing that is fetched is run. The folder can be filled by hand where there is no network.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from textbatch.data.storage.atomic_file import sync_directory
from textbatch.data.storage.download import BLOCK_BYTES, Download
from textbatch.data.storage.model_cache import cache_directory
from textbatch.data.storage.private import open_private, private_directory
from textbatch.errors import DataError, OutputError, storage_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFile:
    """A file that its publisher keeps as it is.

    Attributes:
        url: Its address.
        size: Its published size, in bytes.
        md5: Its published checksum. It finds damage; HTTPS and the hosts are to prevent fraud.
        hosts: Where the address may redirect to: names of hosts, or `.domain` for all below it.
    """

    url: str
    size: int
    md5: str
    hosts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.url.rpartition("/")[2]


def fetch_published(
    file: PublishedFile, *, what: str, on_bytes: Callable[[int], None] = lambda _: None
) -> Path:
    """Fetch a file, unless it is in the cache, and check it.

    Several processes may ask for it at the same time: one fetches it, the others wait.

    Args:
        file: The file.
        what: What asks for it, for messages, such as an option with its value.
        on_bytes: Called with the number of bytes that were had since the last call.

    Returns:
        Its place in the cache.

    Raises:
        InputNotFoundError: The server has no such file, or leads elsewhere.
        DataError: What the server sends, or what is in the cache, is another file.
        TryAgainError: The server does not answer, or breaks off again and again.
        AccessError: The cache belongs to another user.
        OutputError: The cache cannot be made.
        StorageError: The cache cannot be written.
    """
    place = private_directory(cache_directory() / "vectors") / file.name
    with storage_errors(place, "cannot write", missing=OutputError):
        # The folder may have been filled by hand, and be read-only.
        if _is_there(file, place, what, on_bytes):
            return place
        with _locked(place) as part:
            if not _is_there(file, place, what, on_bytes):
                Download(
                    file.url,
                    part,
                    size=file.size,
                    md5=file.md5,
                    hosts=file.hosts,
                    what=what,
                    by_hand=_by_hand(file, place),
                    on_bytes=on_bytes,
                ).run()
                os.fsync(part)
                os.replace(_part_of(place), place)  # noqa: PTH105 - one call of `os` a step
                sync_directory(place.parent)
    return place


def _by_hand(file: PublishedFile, place: Path) -> str:
    return f"or put {file.url} at {place} yourself"


def _is_there(file: PublishedFile, place: Path, what: str, on_bytes: Callable[[int], None]) -> bool:
    """Whether the file is in the cache; an error if something else is."""
    if not os.path.lexists(place):
        return False
    digest = hashlib.md5(usedforsecurity=False)
    if place.is_file():
        with place.open("rb") as opened:
            while block := opened.read(BLOCK_BYTES):
                digest.update(block)
                on_bytes(len(block))
    if digest.hexdigest() != file.md5:
        raise DataError(
            f"{what}: {place} is not the published file: its MD5 is not {file.md5}",
            f"remove it and run again, {_by_hand(file, place)}",
        )
    return True


def _part_of(place: Path) -> Path:
    return place.with_name(f".{place.name}.part")


@contextmanager
def _locked(place: Path) -> Iterator[int]:
    """Open the unfinished download of a file, for one process at a time."""
    part = _part_of(place)
    while True:
        descriptor = open_private(part, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Whoever had it before us may have given it its name, or removed it.
            if not _is_at(descriptor, part):
                continue
            try:
                yield descriptor
            finally:
                if not os.fstat(descriptor).st_size and _is_at(descriptor, part):
                    part.unlink()
            return
        finally:
            os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
