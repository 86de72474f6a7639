"""A Parquet footer without its copy of Arrow's schema, which may have types that Arrow lacks."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.data.readers.parquet_types import TAIL_BYTES
from textbatch.data.readers.thrift_compact import (
    Items,
    MalformedError,
    Struct,
    read_struct,
    write_struct,
)

#: The metadata in Parquet's `FileMetaData`.
_ENTRIES = 5


def without_arrow_schema(file: pa.NativeFile) -> pq.FileMetaData:
    """Read a footer without that copy.

    Args:
        file: The file.

    Raises:
        MalformedError: It is not a footer.
    """
    footer = read_footer(file)
    entries = footer.get(_ENTRIES, (None, None))[1]
    if isinstance(entries, Items):
        entries.values = [
            entry
            for entry in entries.values
            if not isinstance(entry, dict) or entry.get(1, (None, b""))[1] != b"ARROW:schema"
        ]
    return with_footer(footer)


def read_footer(file: pa.NativeFile) -> Struct:
    """Read a footer as it is.

    Args:
        file: The file.

    Raises:
        MalformedError: It is not a footer.
    """
    size = file.size()
    length = int.from_bytes(file.read_at(TAIL_BYTES, size - TAIL_BYTES)[:4], "little")
    if not 0 < length <= size - TAIL_BYTES:
        raise MalformedError("a footer that is longer than its file")
    footer, _ = read_struct(file.read_at(length, size - TAIL_BYTES - length))
    return footer


def with_footer(footer: Struct) -> pq.FileMetaData:
    """Give Arrow a footer that was changed.

    Args:
        footer: The footer.
    """
    plain = write_struct(footer)
    tail = len(plain).to_bytes(4, "little") + b"PAR1"
    return pq.read_metadata(io.BytesIO(b"PAR1" + plain + tail))
