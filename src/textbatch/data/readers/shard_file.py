"""A shard as an input: some row groups of a Parquet file, or those of several files of one kind."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

import pyarrow as pa

from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.file_state import FileState
from textbatch.data.storage.files import InputFile
from textbatch.data.storage.location import Location
from textbatch.errors import DataError, InputNotFoundError, storage_errors

_BLOCK_BYTES = 1 << 20
#: Fewer digits would not sort as the shards do.
_LEAST_DIGITS = 5
_NAME = re.compile(r"(?:.*/)?part-[0-9]{5,}-([0-9a-f]{16})\.parquet", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Row groups of a file that follow each other.

    Attributes:
        location: The file.
        name: Its path below the input of the job.
        found: Its state when it was listed.
        first: Number of the first row group.
        stop: Number behind the last one.
        rows: How many rows they have.
        first_row: Number of rows before them in the file.
        start: Where their bytes begin in the file.
        end: Where their bytes end.
        whole: Whether they are all row groups of the file.
    """

    location: Location
    name: str
    found: FileState
    first: int
    stop: int
    rows: int
    first_row: int
    start: int
    end: int
    whole: bool

    def __str__(self) -> str:
        """Its name in messages."""
        return f"{self.location}{self._groups}"

    @property
    def title(self) -> str:
        """Its name in records."""
        return f"{self.name}{self._groups}"

    @property
    def _groups(self) -> str:
        return "" if self.whole else f"[{self.first}:{self.stop}]"


class ShardFile(InputFile):
    """The pieces of a shard, in order. They have the same columns.

    A look at it finds whether one of its files has changed since it was planned.
    """

    def __init__(self, pieces: tuple[Piece, ...]) -> None:
        """Name the pieces.

        Args:
            pieces: At least one.
        """
        self.pieces = pieces
        self.location = pieces[0].location
        self.costs_requests = new_input(self.location).costs_requests

    @cached_property
    def _files(self) -> tuple[InputFile, ...]:
        """The files of its pieces. In a store each knows what the first look has found."""
        return tuple(new_input(piece.location) for piece in self.pieces)

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(piece.rows for piece in self.pieces)

    @property
    def planned(self) -> FileState:
        """Its state when the shard was planned."""
        return self._state([piece.found for piece in self.pieces])

    def _state(self, states: list[FileState]) -> FileState:
        versions = "\0".join(f"{one.title}\0{one.found.version}" for one in self.pieces)
        return FileState(
            # Also without a row it is no empty file.
            size=max(1, sum(piece.end - piece.start for piece in self.pieces)),
            # No time, but a number that is another one when a time is.
            modified=int(_hash([versions])[:15], 16),
            tag=_hash(state.tag for state in states) if all(s.tag for s in states) else "",
        )

    @property
    def canonical(self) -> str:
        """The names of its files, with the row groups."""
        named = zip(self.pieces, self._files, strict=True)
        return "\0".join(f"{file.canonical}[{one.first}:{one.stop}]" for one, file in named)

    def exists(self) -> bool:
        """Whether all its files are there."""
        return all(file.exists() for file in self._files)

    def look(self) -> FileState:
        """Look at all its files.

        Raises:
            DataError: One has changed since the shard was planned, or is gone.
        """
        states = []
        for piece, file in zip(self.pieces, self._files, strict=True):
            try:
                found = file.look()
            except InputNotFoundError as error:
                raise _changed(piece) from error
            # Not by the tag: another machine has another one for the same file.
            if (found.size, found.version) != (piece.found.size, piece.found.version):
                raise _changed(piece)
            states.append(found)
        return self._state(states)

    def fingerprint(self) -> str:
        """A hash of what its files tell."""
        return _hash(file.fingerprint() for file in self._files)

    def content_hash(self) -> str:
        """A hash of its row groups; in a store, of what the store tells of the files."""
        return _hash(map(_content, self.pieces, self._files))

    def place_of(self, row: int) -> tuple[str, int]:
        """Find the file of a row, and its number there.

        Args:
            row: Its number in the shard, from 1.
        """
        for piece in self.pieces:
            if row <= piece.rows:
                return str(piece.location), piece.first_row + row
            row -= piece.rows
        return str(self), row

    def open(self) -> io.BufferedReader:
        """Not done: it is read piece by piece."""
        self._refuse()

    def open_random(self) -> pa.NativeFile:
        """Not done: it is read piece by piece."""
        self._refuse()

    def open_stream(self) -> pa.NativeFile:
        """Not done: it is read piece by piece."""
        self._refuse()

    def __str__(self) -> str:
        """Its first piece, and how many more there are."""
        more = len(self.pieces) - 1
        return f"{self.pieces[0]}{f' and {more:,} more' if more else ''}"

    def _refuse(self) -> NoReturn:
        raise NotImplementedError("a shard is no file of its own")


def shard_name(number: int, of: int, fingerprint: str) -> str:
    """The name of the part of a shard.

    Args:
        number: Its number, from 0.
        of: How many shards there are.
        fingerprint: 16 characters that no other shard has.
    """
    digits = max(_LEAST_DIGITS, len(str(max(0, of - 1))))
    return f"part-{number:0{digits}d}-{fingerprint}.parquet"


def is_shard_of(part: str, fingerprint: str) -> bool:
    """Whether a part has the name of a shard with this fingerprint.

    Args:
        part: Its name in the folder.
        fingerprint: What its footer says.
    """
    found = _NAME.fullmatch(part)
    return found is not None and found[1] == fingerprint


def _hash(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode(errors="surrogateescape")).hexdigest()


def _content(piece: Piece, file: InputFile) -> str:
    if piece.whole or file.costs_requests:
        return file.content_hash()
    digest = hashlib.sha256()
    with storage_errors(file, "cannot read"), file.open() as opened:
        opened.seek(piece.start)
        left = piece.end - piece.start
        while left and (block := opened.read(min(_BLOCK_BYTES, left))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()


def _changed(piece: Piece) -> DataError:
    return DataError(
        f"{piece.location} changed since its shards were planned",
        "write inputs under another name and move them into place, then run again",
    )
