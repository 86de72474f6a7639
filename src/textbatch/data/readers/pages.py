"""The sizes of the pages of a Parquet column, from their headers. The footer has only the sum."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.data.readers.thrift_compact import MalformedError, read_struct

_UNCOMPRESSED_SIZE, _COMPRESSED_SIZE = 2, 3
#: Most headers are much shorter. A header with long statistics is read again, with more bytes.
_HEADER_BYTES, _LONGEST_HEADER = 512, 16 << 20


def largest_page(file: pa.NativeFile, chunk: pq.ColumnChunkMetaData) -> int:
    """Find the largest page of a column in a row group.

    Args:
        file: The Parquet file.
        chunk: The column in the row group, as the footer describes it.

    Returns:
        Its size in bytes, unpacked. If a header cannot be read, the size of the whole column.
    """
    start = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset:
        start = min(start, chunk.dictionary_page_offset)
    end = start + chunk.total_compressed_size
    largest = 1
    while start < end:
        sizes = _sizes(file, start, end - start)
        if sizes is None:
            return max(largest, int(chunk.total_uncompressed_size))
        header, unpacked, packed = sizes
        largest = max(largest, unpacked)
        start += header + packed
    return largest


def _sizes(file: pa.NativeFile, start: int, left: int) -> tuple[int, int, int] | None:
    """The sizes of the header of a page, of its content unpacked, and of its content packed."""
    for size in (_HEADER_BYTES, _LONGEST_HEADER):
        try:
            fields, end = read_struct(file.read_at(min(size, left), start))
            unpacked, packed = fields[_UNCOMPRESSED_SIZE][1], fields[_COMPRESSED_SIZE][1]
        except (MalformedError, KeyError):
            continue
        if isinstance(unpacked, int) and isinstance(packed, int) and packed >= 0 <= unpacked:
            return end, unpacked, packed
    return None
