"""Reads pretrained word vectors: word2vec text and binary, GloVe, fastText.

The parsers are our own, because gensim's allocate what the header of a file asks for, and hold the
whole file: `KeyedVectors.load_word2vec_format` makes a table of `rows * dim` before it reads the
first row, and `load_facebook_vectors` reads all n-grams. The parsers here stream, so that only the
kept words need memory. They use gensim only for fastText's n-grams. gensim's own `.kv` and `.model`
files are pickles, which can run code when they are loaded. They are refused.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple, cast

import numpy as np

from textbatch.errors import DataError, storage_errors
from textbatch.model.vectors.fasttext_file import MAGIC, read_fasttext
from textbatch.model.vectors.kept_rows import KeptRows, RowNames
from textbatch.model.vectors.record_buffer import RecordBuffer
from textbatch.model.vectors.text_rows import first_dim, is_number, read_text
from textbatch.model.vectors.types import MAX_DIM, WordVectors

if TYPE_CHECKING:
    from typing_extensions import Buffer

_HEAD = 1 << 16
_BLOCK = 4 << 20
_TELL_BYTES = 1 << 20
#: Limit of the format (deflate): the content of a gzip file is at most this many times its size.
_MAX_RATIO = 1032
_HEADER = re.compile(rb"[ \t]*(\d{1,18})[ \t]+(\d{1,18})[ \t\r]*\n")
#: How pickles of the protocols 0 to 5 begin. No row of vectors begins like this.
_PICKLE = re.compile(
    rb"\x80[\x00-\x05]|[\]}\)]q[\x00-\xff]|\(?[dl]p\d+\r?\n|\(?i?c[A-Za-z_][\w.]*\r?\n[A-Za-z_]\w*\r?\n"
)
_REFUSED_SUFFIXES = (".kv", ".model", ".pkl", ".pickle", ".joblib", ".npy", ".npz")


def read_vectors(
    path: Path,
    *,
    wanted: Collection[str],
    most_frequent: int,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> WordVectors:
    """Read the vectors of some words.

    The content decides which format it is, gzip or not. The number of fields is checked in every
    row. Numbers are parsed in the kept rows only, and repeated words are found among these.

    Args:
        path: The file.
        wanted: Tokens to keep.
        most_frequent: How many other tokens to keep, in the order of the file.
        on_bytes: Called with the number of bytes that were read since the last call.

    Raises:
        InputNotFoundError: There is no such file.
        DataError: It is a pickle or malformed. The message names the line or row.
    """
    with _opened(path, on_bytes) as file:
        layout = _layout(file, path)
        file.seek(layout.start)
        if layout.kind == "fasttext":
            return read_fasttext(file, path, wanted=wanted, most_frequent=most_frequent)
        if layout.kind == "binary":
            where = RowNames(path, "row", 1)
            kept = KeptRows(wanted, most_frequent, where)
            _read_binary(file, kept, where, layout)
        else:
            where = RowNames(path, "line", 1 if layout.rows is None else 2)
            kept = KeptRows(wanted, most_frequent, where)
            read_text(file, kept, where, rows=layout.rows, dim=layout.dim)
        return kept.vectors()


def check_vectors(path: Path) -> None:
    """Check the beginning of a file, so that a wrong one is found before any work.

    Raises:
        InputNotFoundError: There is no such file.
        DataError: It is a pickle, or not a file of word vectors.
    """
    with _opened(path) as file:
        _layout(file, path)


class _Told(io.FileIO):
    """A file that reports how many of its bytes were read. Bytes that are read twice count once."""

    def __init__(self, path: Path, on_bytes: Callable[[int], None]) -> None:
        super().__init__(path, "rb")
        self._on_bytes, self._furthest = on_bytes, 0

    def readinto(self, buffer: Buffer, /) -> int | None:
        read = super().readinto(buffer)
        more = self.tell() - self._furthest
        # Also at the end, however few bytes are left.
        if more >= _TELL_BYTES or (more > 0 and not read):
            self._on_bytes(more)
            self._furthest += more
        return read


class _Layout(NamedTuple):
    kind: Literal["fasttext", "binary", "text"]
    rows: int | None
    dim: int
    start: int


def _layout(file: BinaryIO, path: Path) -> _Layout:
    head = file.read(_HEAD)
    # A mark that says that the file is UTF-8 is no part of the first word.
    mark = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    head = head[mark:]
    _refuse_pickles(path, head)
    if head.startswith(MAGIC):
        return _Layout("fasttext", None, 0, 0)
    header = _HEADER.match(head)
    if not header:
        return _Layout("text", None, _checked_dim(path, first_dim(path, head), None), mark)
    rows, dim = map(int, header.groups())
    _checked_dim(path, dim, rows)
    if not _is_binary(head[header.end() :], dim):
        return _Layout("text", rows, dim, mark + header.end())
    _check_size(path, rows, dim)
    return _Layout("binary", rows, dim, mark + header.end())


def _checked_dim(path: Path, dim: int, rows: int | None) -> int:
    if not 0 < dim <= MAX_DIM or rows == 0:
        raise DataError(
            f"line 1 of {path} says {dim} dimensions"
            + ("" if rows is None else f" and {rows} rows"),
            f"give a file with rows of 1 to {MAX_DIM} dimensions",
        )
    return dim


@contextmanager
def _opened(path: Path, on_bytes: Callable[[int], None] = lambda _: None) -> Iterator[BinaryIO]:
    with storage_errors(path, "cannot read"):
        if not path.stat().st_size or not path.is_file():
            raise DataError(f"{path} is empty or not a regular file", "name a file of vectors")
        with io.BufferedReader(_Told(path, on_bytes)) as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            try:
                yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file
            except (EOFError, zlib.error, gzip.BadGzipFile):
                raise DataError(
                    f"{path} is truncated or damaged inside its compression", "fetch it again"
                ) from None


def _refuse_pickles(path: Path, head: bytes) -> None:
    suffixes = {suffix.lower() for suffix in path.suffixes[-2:]}
    if _PICKLE.match(head) or head.startswith(b"\x93NUMPY") or suffixes & {*_REFUSED_SUFFIXES}:
        raise DataError(
            f"{path} is a pickle or numpy file, which could run code and is never loaded",
            "export as word2vec text, with gensim's KeyedVectors.save_word2vec_format",
        )
    if head.startswith((b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")):
        raise DataError(f"{path} is an archive", "unpack it; only .gz is read as it is")


def _is_binary(body: bytes, dim: int) -> bool:
    fields = body.split(b"\n", 1)[0].split()
    if len(fields) == dim + 1 and all(map(is_number, fields[1:])):
        return False
    # A malformed text has no control characters. Binary numbers have some at the beginning.
    return re.search(rb"[\x00-\x08\x0e-\x1f]", body[: 4 * dim + 256]) is not None


def _check_size(path: Path, rows: int, dim: int) -> None:
    """Refuse a binary file if its header says more rows than the file can hold."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if rows * (4 * dim + 2) > path.stat().st_size * (_MAX_RATIO if packed else 1):
        raise DataError(
            f"the header of {path} says {rows:,} rows, more than the file can hold",
            "fetch it again",
        )


def _read_binary(file: BinaryIO, kept: KeptRows, where: RowNames, layout: _Layout) -> None:
    buffer = RecordBuffer(file, where.path)
    rows, dim = layout.rows or 0, layout.dim
    block = max(1, _BLOCK // (4 * dim))
    for first in range(0, rows, block):
        words, vectors = [], []
        for _ in range(min(block, rows - first)):
            words.append(buffer.until(b" ").lstrip(b"\n"))
            vectors.append(buffer.take(4 * dim))
        for position, place in kept.choose(words):
            vector = np.frombuffer(vectors[position], "<f4").astype(np.float32)
            kept.put(place, vector, first + position)
