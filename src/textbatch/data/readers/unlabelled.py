"""Files of texts without labels, streamed: any amount goes through in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.choices import CHUNK_BYTES, CHUNK_ROWS
from textbatch.data.readers.chunks import rebatch
from textbatch.data.readers.column_names import shown
from textbatch.data.readers.compressed import COMPRESSED_SUFFIXES, ByteStream, stream_errors
from textbatch.data.readers.read_progress import OnRead, Reading
from textbatch.data.readers.source import open_source, require_column
from textbatch.data.readers.text_column import check_text_type, decode_texts
from textbatch.data.storage.file_io import new_input
from textbatch.errors import DataError
from textbatch.text.normalization import split_tokens

#: A line of a text file that is longer counts as several texts.
_MAX_LINE = 1 << 20
_SLICE = 1000


def check_unlabelled(paths: Sequence[Path], *, text_column: str) -> None:
    """Open each file and look for its text column, so that a wrong name shows at once.

    Raises:
        InputNotFoundError: A file does not exist.
        DataError: A file is malformed or lacks the column.
    """
    for path in paths:
        if _is_plain_text(path):
            file = new_input(path)
            with stream_errors(file):
                ByteStream(file).close()
            continue
        source = open_source(path)
        require_column(source, text_column, "--text-column")
        check_text_type(
            source.schema.field(text_column).type, f"{path} column {shown(text_column)}"
        )


def unlabelled_texts(
    paths: Sequence[Path],
    *,
    text_column: str,
    on_bad: Callable[[int], None],
    on_read: OnRead = lambda _rows, _share: None,
) -> Iterator[pa.Array]:
    """Yield the texts of files, a bounded chunk at a time.

    Args:
        paths: Parquet, CSV or JSON Lines files, or `.txt` files with a text on each line.
        text_column: Column that holds the text; `.txt` files have none.
        on_bad: Called with the number of texts that are not valid UTF-8 and so left out.
        on_read: Told when the next chunk is asked for, so when the one before is done with.

    Yields:
        Strings without nulls, of each file in order.

    Raises:
        InputNotFoundError: A file does not exist.
        DataError: A file is malformed or lacks the column.
    """
    reading = Reading(paths, on_read)
    for path in paths:
        reading.next_file()
        plain = _is_plain_text(path)
        for chunk in _lines(path, reading) if plain else _column(path, text_column, reading):
            texts, bad = decode_texts(chunk)
            if bad.any():
                on_bad(int(bad.sum()))
            yield pc.drop_null(texts)


def sample_unlabelled(
    paths: Sequence[Path],
    *,
    text_column: str,
    most: int,
    without: Sequence[pa.Array],
    seed: int,
    on_read: OnRead = lambda _rows, _share: None,
) -> pa.Array:
    """Some of the texts of files, each different one as likely as any other.

    Args:
        paths: As of `unlabelled_texts`.
        text_column: As of `unlabelled_texts`.
        most: How many at most.
        without: Texts to leave out, told by their words.
        seed: Of the choice.
        on_read: As of `unlabelled_texts`.

    Returns:
        Strings with a word in each and no words twice, in the order of the files.

    Raises:
        InputNotFoundError: A file does not exist.
        DataError: A file is malformed or lacks the column.
    """
    from pandas.util import hash_array

    key = f"{seed:016d}"  # pandas wants 16 bytes
    known = pa.concat_arrays([_words_of(chunk) for chunk in without]).unique()
    texts, draws = pa.array([], pa.large_string()), np.empty(0, np.uint64)
    chunks = unlabelled_texts(
        paths, text_column=text_column, on_bad=lambda _: None, on_read=on_read
    )
    for chunk in chunks:
        words = _words_of(chunk)
        wanted = pc.and_(pc.invert(pc.is_in(words, value_set=known)), pc.not_equal(words, ""))
        texts = pa.concat_arrays([texts, chunk.cast(pa.large_string()).filter(wanted)])
        # From the words alone, so that a text that comes again has no second chance.
        drawn = hash_array(words.filter(wanted).to_numpy(zero_copy_only=False), hash_key=key)
        draws = np.append(draws, drawn)
        # The least draws, of each the first text.
        kept = np.sort(np.unique(draws, return_index=True)[1][:most])
        texts, draws = texts.take(pa.array(kept)), draws[kept]
    return texts


def _words_of(texts: pa.Array) -> pa.Array:
    """The tokens of each text with spaces between."""
    joined = []
    # In slices, because Arrow joins strings of 2 GiB together at most.
    for start in range(0, len(texts), _SLICE):
        tokens, offsets = split_tokens(texts.slice(start, _SLICE))
        lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), tokens.cast(pa.string()))
        joined.append(pc.binary_join(lists, " ").cast(pa.large_string()))
    return pa.concat_arrays(joined) if joined else pa.array([], pa.large_string())


def _is_plain_text(path: Path) -> bool:
    plain = path.with_suffix("") if path.suffix.lower() in COMPRESSED_SUFFIXES else path
    return plain.suffix.lower() == ".txt"


def _column(path: Path, text_column: str, reading: Reading) -> Iterator[pa.Array]:
    source = open_source(path)
    require_column(source, text_column, "--text-column")
    field = source.schema.field(text_column)
    check_text_type(field.type, f"{path} column {shown(text_column)}")
    batches = source.batches([text_column], CHUNK_ROWS)
    schema = pa.schema([field])
    for batch in rebatch(batches, schema, max_rows=CHUNK_ROWS, max_bytes=CHUNK_BYTES):
        yield batch.column(0)
        reading.read_from(source, len(batch))


def _lines(path: Path, reading: Reading) -> Iterator[pa.Array]:
    file = new_input(path)
    with stream_errors(file):
        stream = ByteStream(file)
        try:
            rest = b""
            while data := stream.bytes.read(_MAX_LINE):
                if b"\0" in data:
                    raise DataError(f"{file} is not a text file", "give UTF-8, a text on each line")
                *lines, rest = (rest + data).splitlines(keepends=True)
                if rest.endswith((b"\n", b"\r")) or len(rest) > _MAX_LINE:
                    lines, rest = [*lines, rest], b""
                yield pa.array(lines, pa.large_binary())
                reading.read(len(lines), stream.progress())
            yield pa.array([rest], pa.large_binary())
        finally:
            stream.close()
