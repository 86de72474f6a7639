"""fastText's `.bin` files: vectors of words, and of unknown words from their n-grams.

The layout is that of fastText's `FastText::saveModel` (version 12): sizes, dictionary, then one
matrix with a row for each word and each bucket of n-grams. The vector of a word is the mean of its
own row and the rows of its n-grams (Bojanowski et al. 2017).
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from textbatch.errors import DataError
from textbatch.model.vectors.kept_rows import KeptRows, RowNames
from textbatch.model.vectors.record_buffer import RecordBuffer
from textbatch.model.vectors.types import MAX_DIM, WordVectors
from textbatch.types import Float32Array, Int64Array

MAGIC = struct.pack("<i", 793712314)
_VERSION = 12
_BLOCK_WORDS = 4096
_BLOCK_BYTES = 4 << 20


class _Sizes(NamedTuple):
    dim: int
    bucket: int
    min_n: int
    max_n: int
    entries: int
    words: int


def read_fasttext(
    file: BinaryIO, path: Path, *, wanted: Collection[str], most_frequent: int
) -> WordVectors:
    """Read the vectors of some words. A wanted word that the file lacks gets its n-grams' mean.

    Args:
        file: The file, open at its start.
        path: Its name, for messages.
        wanted: Tokens to keep.
        most_frequent: How many other tokens to keep, in the order of the file.

    Raises:
        DataError: The file is malformed, quantized, or of another version.
    """
    buffer = RecordBuffer(file, path)
    sizes = _read_sizes(buffer, path)
    where = RowNames(path, "word", 1)
    kept = KeptRows(wanted, most_frequent, where)
    own_rows = _read_words(buffer, sizes, kept)
    if sizes.max_n:
        for token in kept.missing():
            if _ngram_rows(token.encode(), sizes):
                kept.add(token, token.encode())
    rows, places = _rows_of(kept.words(), own_rows, sizes)
    for place, vector in enumerate(_means(buffer, path, sizes, rows, places)):
        kept.put(place, vector, own_rows[place] if place < len(own_rows) else 0)
    return kept.vectors()


def _read_sizes(buffer: RecordBuffer, path: Path) -> _Sizes:
    _, version = struct.unpack("<2i", buffer.take(8))
    numbers = struct.unpack("<12id", buffer.take(56))
    entries, words, _ = struct.unpack("<3i", buffer.take(12))
    _, pruned = struct.unpack("<2q", buffer.take(16))
    sizes = _Sizes(numbers[0], numbers[8], numbers[9], numbers[10], entries, words)
    if version != _VERSION or pruned >= 0:
        raise DataError(
            f"{path} is a quantized fastText model, or one of version {version}",
            "export its vectors as text (.vec)",
        )
    in_range = (
        0 < sizes.dim <= MAX_DIM
        and 0 < words <= entries
        and sizes.bucket >= (1 if sizes.max_n else 0)
        and 0 <= sizes.min_n <= sizes.max_n <= 100
    )
    if not in_range:
        raise DataError(
            f"{path} has impossible sizes: {sizes.dim} dimensions, {words:,} words, n-grams of "
            f"{sizes.min_n} to {sizes.max_n}",
            "fetch it again",
        )
    return sizes


def _read_words(buffer: RecordBuffer, sizes: _Sizes, kept: KeptRows) -> list[int]:
    """Read the dictionary. Return the matrix row of each kept word, in the order of places."""
    own_rows: dict[int, int] = {}
    for first in range(0, sizes.entries, _BLOCK_WORDS):
        block = []
        for _ in range(min(_BLOCK_WORDS, sizes.entries - first)):
            block.append(buffer.until(b"\0"))
            buffer.take(9)  # its count and its kind
        # A supervised model has its labels at the end.
        for position, place in kept.choose(block[: max(0, sizes.words - first)]):
            own_rows[place] = first + position
    return [own_rows[place] for place in sorted(own_rows)]


def _rows_of(
    words: list[bytes], own_rows: list[int], sizes: _Sizes
) -> tuple[Int64Array, Int64Array]:
    """Pairs of a matrix row and the place of its word, sorted by row. Shapes `(pairs,)`."""
    pairs = [(row, place) for place, row in enumerate(own_rows)]
    for place, word in enumerate(words):
        pairs += [(row, place) for row in _ngram_rows(word, sizes)]
    table = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _ngram_rows(word: bytes, sizes: _Sizes) -> list[int]:
    if not sizes.max_n:
        return []
    from gensim.models.fasttext_inner import compute_ngrams_bytes, ft_hash_bytes

    ngrams = compute_ngrams_bytes(word.decode(), sizes.min_n, sizes.max_n)
    return [sizes.words + ft_hash_bytes(ngram) % sizes.bucket for ngram in ngrams]


def _means(
    buffer: RecordBuffer, path: Path, sizes: _Sizes, rows: Int64Array, places: Int64Array
) -> Float32Array:
    """Read the matrix in blocks; the mean row of each place. Shape `(places, dim)`."""
    (quantized,) = struct.unpack("<?", buffer.take(1))
    matrix_rows, dim = struct.unpack("<2q", buffer.take(16))
    if quantized or dim != sizes.dim or (len(rows) and rows[-1] >= matrix_rows):
        raise DataError(
            f"{path} has a matrix of {matrix_rows:,} rows and {dim} dimensions that does not fit "
            "its dictionary, or is quantized",
            "export its vectors as text (.vec)",
        )
    counts = np.bincount(places)
    sums = np.zeros((len(counts), dim), np.float32)
    block = max(1, _BLOCK_BYTES // (4 * dim))
    begin = 0
    # Rows after the last one that is needed are not read.
    for first in range(0, int(rows[-1]) + 1 if len(rows) else 0, block):
        size = min(block, matrix_rows - first)
        values = np.frombuffer(buffer.take(size * dim * 4), "<f4").reshape(size, dim)
        end = int(np.searchsorted(rows, first + size))
        np.add.at(sums, places[begin:end], values[rows[begin:end] - first])
        begin = end
    return np.asarray(sums / counts[:, None], np.float32)
