"""The seal of an output: one sha256 of every byte of the file, in its own footer.

Page checksums do not protect page headers and the footer. A second file beside the output could not
appear together with it. So the metadata in the footer have an entry of 64 zeros. The file is hashed
with these zeros, and then the hash replaces them. To verify, put the zeros back, hash again and
compare: a changed byte changes either the hash or the entry.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.data.storage.atomic_file import NewFile
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.location import Location
from textbatch.errors import DataError, StorageError, storage_errors

SEAL = "textbatch.seal"
BLANK = "0" * 64

# In the footer of Parquet (Thrift, compact protocol) a string is 0x18, its length, then its bytes.
# Other entries may hold bytes that look like ours: see `_places`.
_MARK = b"\x18" + bytes([len(SEAL)]) + SEAL.encode() + b"\x18\x40"
_MAX_PLACES = 1000
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
    found = file.read_at(start, size - start)
    digest = file.sha256.hexdigest()
    for place in _places(found):
        sealed = found[:place] + digest.encode() + found[place + len(BLANK) :]
        if found[place : place + len(BLANK)] == BLANK.encode() and _entry(sealed) == digest:
            file.patch(start + place, digest.encode())
            return digest
    raise StorageError("the output's footer reads back otherwise", "check the disk")


def check_seal(path: Location, *, on_bytes: Callable[[int], None] = lambda _: None) -> str:
    """Hash a sealed file, and compare the hash with its seal.

    Args:
        path: The file.
        on_bytes: Called with the number of bytes that were hashed since the last call.

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
        places = _places(footer)
        if not places:
            raise DataError(f"{path} has no seal, or a damaged footer", _REMEDY)
        digest = hashlib.sha256()
        file.seek(0)
        left = start
        while left and (block := file.read(min(_BLOCK_BYTES, left))):
            digest.update(block)
            left -= len(block)
            on_bytes(len(block))
        on_bytes(size - start)
    for place in places:
        whole = digest.copy()
        whole.update(footer[:place] + BLANK.encode() + footer[place + len(BLANK) :])
        if whole.hexdigest().encode() == footer[place : place + len(BLANK)]:
            return whole.hexdigest()
    raise DataError(f"{path} has changed since it was written (its seal is broken)", _REMEDY)


_REMEDY = "restore it, or score the input again"


def _footer_size(tail: bytes) -> int:
    return int.from_bytes(tail[:4], "little")


def _places(footer: bytes) -> list[int]:
    """The positions in a footer where the seal may be; if there are many, the last ones."""
    places: list[int] = []
    end = len(footer)
    while len(places) < _MAX_PLACES and (position := footer.rfind(_MARK, 0, end)) >= 0:
        places.append(position + len(_MARK))
        end = position
    return places


def _entry(footer: bytes) -> str | None:
    """The seal that readers of Parquet find in a footer."""
    try:
        metadata = pq.read_metadata(io.BytesIO(_MAGIC + footer)).metadata
    except pa.ArrowException:
        return None
    entry: bytes = (metadata or {}).get(SEAL.encode(), b"")
    return entry.decode("ascii", "replace")
