"""Files of texts without labels, read in a stream: any amount in limited memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.choices import CHUNK_BYTES, CHUNK_ROWS
from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.readers.chunks import rebatch
from textbatch.data.readers.column_names import shown
from textbatch.data.readers.compressed import COMPRESSED_SUFFIXES, ByteStream, stream_errors
from textbatch.data.readers.labelled import OnBadRows
from textbatch.data.readers.listing import ListedFile, find_files
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.readers.read_progress import OnRead, Reading
from textbatch.data.readers.source import (
    Source,
    is_known_name,
    open_input,
    require_column,
    suited_to,
)
from textbatch.data.readers.text_column import check_text_type, decode_texts, joined_lists, without
from textbatch.data.readers.utf8_pieces import utf8_pieces
from textbatch.data.storage.files import InputFile
from textbatch.data.storage.location import Location
from textbatch.errors import DataError
from textbatch.text.normalization import split_tokens

#: A longer line of a text file counts as several texts.
_MAX_LINE = 1 << 20
_SLICE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlabelledFiles:
    """Files of texts without labels. Each method reads them anew.

    Attributes:
        inputs: Files, folders and globs of Parquet, CSV or JSON Lines, or of `.txt` files with a
            text on each line.
        options: How they are read.
        text_column: Column with the texts; `.txt` files have none.
        beside: Whether they come in addition to other inputs. Then the format in their name counts
            more than the options.
        sets_aside: Whether rows with a wrong number of cells are left out. Otherwise they are an
            error.
    """

    inputs: Sequence[Location]
    options: ReadOptions
    text_column: str
    beside: bool = False
    sets_aside: bool = False

    def check(self) -> None:
        """Open each file and check its text column, so that a wrong name is found at once.

        Raises:
            InputNotFoundError: A file does not exist, or nothing is found.
            DataError: A file is malformed or lacks the column.
        """
        for one in self._files():
            if self._is_lines(one.file):
                with stream_errors(one.file):
                    ByteStream(one.file).close()
            else:
                self._opened(one.file)

    def texts(
        self,
        on_bad: OnBadRows = lambda _file, _rows: None,
        on_read: OnRead = lambda _rows, _share: None,
    ) -> Iterator[pa.Array]:
        """Yield the texts, a chunk of limited size at a time.

        Args:
            on_bad: Called at the end of a file with its rows that are left out, because their text
                is not UTF-8 or, where they are set aside, they have a wrong number of cells.
            on_read: Called when the next chunk is wanted, that is when the last one is finished.

        Yields:
            Strings without nulls, file after file. Shapes `(texts,)`.

        Raises:
            InputNotFoundError: A file does not exist, or nothing is found.
            DataError: A file is malformed or lacks the column.
        """
        files = self._files()
        reading = Reading(files, on_read)
        for one in files:
            file = one.file
            reading.next_file()
            source = None if self._is_lines(file) else self._opened(file)
            chunks = self._column(source, reading) if source else self._lines(file, reading)
            before, undecodable, aside = 0, list[int](), list[BadRow]()
            for chunk in chunks:
                texts, bad = decode_texts(chunk)
                undecodable += (np.flatnonzero(bad) + before).tolist()
                before += len(chunk)
                aside += _taken_from(source)
                yield pc.drop_null(without(texts, self.options.null_text))
            one.check_unchanged()
            aside += _taken_from(source)
            if aside:
                reading.read(len(aside), 1.0)
            if rows := _bad_rows(undecodable, aside):
                on_bad(file, rows)

    def sample(
        self,
        most: int,
        *,
        known: Sequence[pa.Array],
        seed: int,
        on_read: OnRead = lambda _rows, _share: None,
    ) -> pa.Array:
        """Draw some of the texts. Every distinct text is equally likely.

        Args:
            most: Limit on the number of texts.
            known: Texts to leave out. Texts of the same words are equal. Shapes `(texts,)`.
            seed: Seed of the choice.
            on_read: See `texts`.

        Returns:
            Strings, in the order of the files. Each has a word, and no two have the same words.
            Shape `(texts,)`.

        Raises:
            InputNotFoundError: A file does not exist.
            DataError: A file is malformed or lacks the column.
        """
        from pandas.util import hash_array

        key = f"{seed:016d}"  # pandas wants 16 bytes
        left_out = pa.concat_arrays([_words_of(chunk) for chunk in known]).unique()
        texts, draws = pa.array([], pa.large_string()), np.empty(0, np.uint64)
        for chunk in self.texts(on_read=on_read):
            words = _words_of(chunk)
            wanted = pc.and_(
                pc.invert(pc.is_in(words, value_set=left_out)), pc.not_equal(words, "")
            )
            texts = pa.concat_arrays([texts, chunk.cast(pa.large_string()).filter(wanted)])
            # The draw depends only on the words, so a repeated text has no second chance.
            drawn = hash_array(words.filter(wanted).to_numpy(zero_copy_only=False), hash_key=key)
            draws = np.append(draws, drawn)
            # Keep the smallest draws, and the first text of each.
            kept = np.sort(np.unique(draws, return_index=True)[1][:most])
            texts, draws = texts.take(pa.array(kept)), draws[kept]
        return texts

    def _files(self) -> list[ListedFile]:
        options = self.options
        return find_files(self.inputs, options.input_format, is_known=_is_text_name).files

    def _is_lines(self, file: InputFile) -> bool:
        return _is_plain_text(file) and (self.beside or self.options.input_format == "auto")

    def _opened(self, file: InputFile) -> Source:
        options = suited_to(file, self.options) if self.beside else self.options
        source = open_input(file, options, sets_aside=self.sets_aside)
        require_column(source, self.text_column, "--text-column")
        kind = source.schema.field(self.text_column).type
        where = f"{file} column {shown(self.text_column)}"
        check_text_type(kind, where, options.join_lists)
        return source

    def _column(self, source: Source, reading: Reading) -> Iterator[pa.Array]:
        batches = source.batches([self.text_column], CHUNK_ROWS)
        schema = pa.schema([source.schema.field(self.text_column)])
        for batch in rebatch(batches, schema, max_rows=CHUNK_ROWS, max_bytes=CHUNK_BYTES):
            yield joined_lists(batch.column(0), self.options.join_lists)
            reading.read_from(source, len(batch))

    def _lines(self, file: InputFile, reading: Reading) -> Iterator[pa.Array]:
        with stream_errors(file):
            stream = ByteStream(file)
            try:
                rest = b""
                for data in utf8_pieces(stream.bytes, file, self.options.encoding, _MAX_LINE):
                    if b"\0" in data:
                        raise DataError(f"{file} is not a text file", "give a text on each line")
                    if not data:
                        break
                    *lines, rest = (rest + data).splitlines(keepends=True)
                    if rest.endswith((b"\n", b"\r")) or len(rest) > _MAX_LINE:
                        lines, rest = [*lines, rest], b""
                    yield pa.array(lines, pa.large_binary())
                    reading.read(len(lines), stream.progress())
                yield pa.array([rest], pa.large_binary())
            finally:
                stream.close()


def _taken_from(source: Source | None) -> list[BadRow]:
    """Take the rows that a source has set aside, without their texts."""
    waiting = source.set_aside if source else ()
    taken = [BadRow(row=row.row, reason=row.reason) for row in waiting]
    if source:
        source.set_aside.clear()
    return taken


def _bad_rows(undecodable: Sequence[int], aside: Sequence[BadRow]) -> list[BadRow]:
    """The rows of a file that are left out, with their numbers in it.

    Args:
        undecodable: Places of texts among the rows that were not set aside, from 0, in order.
        aside: Rows that were set aside.
    """
    there = sorted(aside, key=lambda row: row.row)
    found, passed = list(there), 0
    for place in undecodable:
        while passed < len(there) and there[passed].row <= place + 1 + passed:
            passed += 1
        found.append(BadRow(row=place + 1 + passed, reason="bad_utf8"))
    return sorted(found, key=lambda row: row.row)


def _words_of(texts: pa.Array) -> pa.Array:
    """Join the tokens of each text with spaces."""
    joined = []
    # In slices, because Arrow can join at most 2 GiB of strings at a time.
    for start in range(0, len(texts), _SLICE):
        tokens, offsets = split_tokens(texts.slice(start, _SLICE))
        lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), tokens.cast(pa.string()))
        joined.append(pc.binary_join(lists, " ").cast(pa.large_string()))
    return pa.concat_arrays(joined) if joined else pa.array([], pa.large_string())


def _is_plain_text(file: InputFile) -> bool:
    name = PurePosixPath(file.name)
    plain = name.with_suffix("") if name.suffix.lower() in COMPRESSED_SUFFIXES else name
    return plain.suffix.lower() == ".txt"


def _is_text_name(file: InputFile) -> bool:
    """Whether the name of a file says its format, or that it is plain text."""
    return _is_plain_text(file) or is_known_name(file)
