"""The seal of an output: one sha256 over every byte of the file, kept in its own footer.

Page checksums leave page headers and the footer unprotected, and a second file beside the output
could not appear together with it. So the footer's metadata has an entry of 64 zeros; the file is
hashed with these zeros, which then are overwritten with the hash. To verify, put the zeros back,
hash again and compare: a changed byte changes either the hash or the entry.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable

from textbatch.data.storage.atomic_file import NewFile
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.location import Location
from textbatch.errors import DataError, StorageError, storage_errors

SEAL = "textbatch.seal"
BLANK = "0" * 64

# In Parquet's footer (Thrift, compact protocol) a string is its length, then its bytes. The last
# entry of that name is ours: statistics, which hold cells, come before it.
_MARK = SEAL.encode() + b"\x18\x40"
_MAGIC, _TAIL_BYTES, _BLOCK_BYTES = b"PAR1", 8, 1 << 20
_MAX_FOOTER_BYTES = 1 << 30


def seal(file: NewFile) -> str:
    """Put the seal into a finished Parquet file that was written with `BLANK`.

    Raises:
        StorageError: The footer cannot be read back as it was written.
    """
    size = file.tell()
    footer = _footer_size(file.read_at(size - _TAIL_BYTES, _TAIL_BYTES))
    start = max(0, size - _TAIL_BYTES - footer)
    found = file.read_at(start, footer)
    position = found.rfind(_MARK)
    place = position + len(_MARK)
    if position < 0 or found[place : place + len(BLANK)] != BLANK.encode():
        raise StorageError("the output's footer reads back otherwise", "check the disk")
    digest = file.sha256.hexdigest()
    file.patch(start + place, digest.encode())
    return digest


def check_seal(path: Location, *, on_bytes: Callable[[int], None] = lambda _: None) -> str:
    """Hash a sealed file and compare.

    Args:
        path: The file.
        on_bytes: Told how many more bytes are hashed.

    Returns:
        The seal.

    Raises:
        InputNotFoundError: There is no such file.
        DataError: The file was changed, is cut off, or never had a seal.
    """
    with storage_errors(path, "cannot read"), new_input(path).open() as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read(_TAIL_BYTES)
        if tail[4:] != _MAGIC or _footer_size(tail) > _MAX_FOOTER_BYTES:
            raise DataError(f"{path} is not a whole Parquet file", _REMEDY)
        start = max(0, size - _TAIL_BYTES - _footer_size(tail))
        file.seek(start)
        footer = file.read(size - start)
        position = footer.rfind(_MARK)
        if position < 0:
            raise DataError(f"{path} has no seal, or a damaged footer", _REMEDY)
        place = position + len(_MARK)
        found = footer[place : place + len(BLANK)]
        blanked = footer[:place] + BLANK.encode() + footer[place + len(BLANK) :]
        digest = hashlib.sha256()
        file.seek(0)
        left = start
        while left and (block := file.read(min(_BLOCK_BYTES, left))):
            digest.update(block)
            left -= len(block)
            on_bytes(len(block))
        digest.update(blanked)
        on_bytes(size - start)
    if digest.hexdigest().encode() != found:
        raise DataError(f"{path} has changed since it was written (its seal is broken)", _REMEDY)
    return digest.hexdigest()


_REMEDY = "restore it, or score the input again"


def _footer_size(tail: bytes) -> int:
    return int.from_bytes(tail[:4], "little")
