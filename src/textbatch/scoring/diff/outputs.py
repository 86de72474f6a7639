"""Two outputs, in blocks of rows that belong together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.files import InputFile
from textbatch.data.storage.passing import passing_folder
from textbatch.errors import DataError
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.diff.alignment import (
    Piece,
    aligned,
    check_lengths,
    check_same,
    columns_to_compare,
)
from textbatch.scoring.diff.answers import NONE, Answers, Block, Codes
from textbatch.scoring.diff.by_key import Keyed, Spread, joined, key_of, parts_for
from textbatch.scoring.diff.options import DiffConfig
from textbatch.scoring.diff.output import Output, Rows
from textbatch.scoring.diff.truth import TrueRows, true_codes, true_rows
from textbatch.types import Int32Array

#: Bytes of a row, at least, where only its file's size is known.
_ROW_BYTES = 20


class OutputPair:
    """Two outputs that are compared.

    Attributes:
        old: The old one.
        new: The new one.
        labels: Numbers the labels.
        statuses: Numbers the statuses.
        only_old: Rows that only the old one has; None until all blocks were read.
        only_new: Rows that only the new one has.
    """

    def __init__(self, config: DiffConfig) -> None:
        """Look at both.

        Args:
            config: Names them, and how rows are matched.

        Raises:
            InputNotFoundError: One is not there.
            DataError: One is no complete output, or lacks a column.
            ConflictError: It is not clear which model is meant.
        """
        self._config = config
        self.old = Output(config.old, config.of[0] if config.of else None)
        self.new = Output(config.new, config.of[-1] if config.of else None)
        self.labels = Codes(dict.fromkeys([*self.old.labels, *self.new.labels]))
        self.statuses = Codes()
        self.only_old = self.only_new = 0
        self._true_column = self._find_true_column()
        side, column = self._true_column, config.label_column
        self._named = side.label_column(column, config.label_names) if side and column else None
        for side in (self.old, self.new):
            for name in config.key or ():
                side.require(name)
        for name in config.columns or ():
            self.new.require(name)

    @property
    def known(self) -> Int32Array | None:
        """Codes of the labels that a model can give; None if unknown. Shape `(labels,)`."""
        if not (self.old.labels and self.new.labels):
            return None
        return np.arange(len(dict.fromkeys([*self.old.labels, *self.new.labels])), dtype=np.int32)

    @property
    def _key(self) -> tuple[str, ...]:
        return self._config.key or ()

    @property
    def has_truth(self) -> bool:
        """Whether there are true labels."""
        return self._config.truth is not None or self._true_column is not None

    @property
    def rows(self) -> int | None:
        """How many rows are read in all; None if only reading tells."""
        if self.old.rows is None or self.new.rows is None:
            return None
        return self.old.rows + self.new.rows

    def _find_true_column(self) -> Output | None:
        column = self._config.label_column
        if column is None or self._config.truth is not None:
            return None
        for side in (self.new, self.old):
            if column in side.columns:
                return side
        self.new.require(column)
        return None

    def blocks(self, progress: Progress) -> Iterator[Block]:
        """Yield the rows that both have.

        Args:
            progress: Called as rows are read.

        Raises:
            DataError: The rows are not the same, or a file is damaged.
        """
        if self._config.key:
            yield from self._by_key(progress)
        else:
            yield from self._by_position(progress)

    def _by_position(self, progress: Progress) -> Iterator[Block]:
        check_lengths(self.old, self.new)
        compared = columns_to_compare(self.old, self.new)
        streams: list[Iterator[Piece]] = [
            self._stream(side, compared) for side in (self.old, self.new)
        ]
        if self._config.truth is not None:
            streams.append(true_rows(self._config, self.labels))
        first, counted = 0, [_Counted(stream) for stream in streams]
        for old, new, *rest in aligned(counted):
            assert isinstance(old, Rows)
            assert isinstance(new, Rows)
            before, after = ({name: one.beside[name] for name in compared} for one in (old, new))
            check_same(before, after, (self.old, self.new), first)
            numbers = np.arange(first + 1, first + len(old) + 1)
            true = _true_in(rest) if rest else self._true_of(old, new)
            yield Block(
                old=old.answers, new=new.answers, true=true, old_rows=numbers, new_rows=numbers
            )
            first += len(old)
            progress.advance(2 * len(old))
        self._check_ends(counted, first)

    def _check_ends(self, counted: Sequence[_Counted], rows: int) -> None:
        """Check that no stream goes on where another one has ended."""
        names = [self.old.path, self.new.path, self._config.truth]
        for one, name in zip(counted, names, strict=False):
            if one.more(rows):
                raise DataError(
                    f"{name} has more than {rows:,} rows, and what it is compared with has not, so "
                    "that their positions do not tell which rows are the same",
                    "name the column that tells rows apart with --key",
                )

    def _stream(self, side: Output, beside: Sequence[str]) -> Iterator[Rows]:
        own = [self._config.label_column] if side is self._true_column else []
        asked = [name for name in (*beside, *own) if name is not None]
        return side.stream(self.labels, self.statuses, list(dict.fromkeys(asked)))

    def _true_of(self, old: Rows, new: Rows) -> Int32Array | None:
        if self._true_column is None:
            return None
        return self._true_codes(old if self._true_column is self.old else new)

    def _true_codes(self, rows: Rows) -> Int32Array:
        assert self._config.label_column is not None
        column = rows.beside[self._config.label_column]
        return true_codes(self._named.texts(column) if self._named else column, self.labels)

    def _by_key(self, progress: Progress) -> Iterator[Block]:
        with passing_folder("textbatch-diff-") as folder:
            parts = parts_for(max(_rows_about(self.old), _rows_about(self.new)))
            old = self._spread(self.old, folder / "old", parts, progress)
            new = self._spread(self.new, folder / "new", parts, progress)
            truth = None
            if self._config.truth is not None:
                truth = self._spread_truth(folder / "true", parts)
            both = 0
            for part in range(parts):
                before, after, keys = joined(old, new, part=part)
                if not len(keys):
                    continue
                both += len(keys)
                yield self._block(before, after, _true_by_key(truth, part, keys))
            self.only_old, self.only_new = old.rows - both, new.rows - both
            if not both:
                raise DataError(
                    f"no row of {self.old.path} has the key of a row of {self.new.path}",
                    "check --key",
                )

    def _spread(self, side: Output, folder: Path, parts: int, progress: Progress) -> Spread:
        folder.mkdir()
        key = self._key
        spread = Spread(str(side.path), folder, parts)

        def rows() -> Iterator[tuple[pa.Array, dict[str, np.ndarray]]]:
            for one in self._stream(side, key):
                values: dict[str, np.ndarray] = {
                    "label": one.answers.labels,
                    "confidence": one.answers.confidences,
                    "status": one.answers.statuses,
                }
                if side is self._true_column:
                    values["true"] = self._true_codes(one)
                yield key_of([one.beside[name] for name in key], key, str(side.path)), values
                progress.advance(len(one))

        spread.fill(rows())
        return spread

    def _spread_truth(self, folder: Path, parts: int) -> Spread:
        folder.mkdir()
        key, title = self._key, str(self._config.truth)
        spread = Spread(title, folder, parts)
        spread.fill(
            (key_of([one.beside[name] for name in key], key, title), {"true": one.true})
            for one in true_rows(self._config, self.labels, key)
        )
        return spread

    def _block(self, old: Keyed, new: Keyed, true: Int32Array | None) -> Block:
        own = new if self._true_column is self.new else old
        return Block(
            old=_answers(old),
            new=_answers(new),
            true=own.values.get("true") if true is None else true,
            old_rows=old.numbers,
            new_rows=new.numbers,
        )


class _Counted:
    """A stream that can be asked, at its end, whether it has more rows."""

    def __init__(self, stream: Iterator[Piece]) -> None:
        self._stream, self._rows = stream, 0

    def __iter__(self) -> _Counted:
        return self

    def __next__(self) -> Piece:
        piece = next(self._stream)
        self._rows += len(piece)
        return piece

    def more(self, rows: int) -> bool:
        """Whether it has more rows than that."""
        return self._rows > rows or next(self._stream, None) is not None


def _true_in(pieces: Sequence[Piece]) -> Int32Array:
    (one,) = pieces
    assert isinstance(one, TrueRows)
    return one.true


def _true_by_key(truth: Spread | None, part: int, keys: pa.Array) -> Int32Array | None:
    if truth is None:
        return None
    there, rows = truth.part(part)
    true = np.full(len(keys), NONE, np.int32)
    found = pc.index_in(keys, value_set=there)
    places = found.is_valid().to_numpy(zero_copy_only=False)
    if places.any():
        true[places] = rows.values["true"][found.drop_null().to_numpy()]
    return true


def _answers(rows: Keyed) -> Answers:
    return Answers(
        labels=rows.values["label"],
        confidences=rows.values["confidence"],
        statuses=rows.values["status"],
    )


def _rows_about(side: Output) -> int:
    """How many rows an output has, or might have."""
    if side.rows is not None:
        return side.rows
    files: list[InputFile] = [new_input(file) for file in side.files]
    return sum(file.look().size for file in files) // _ROW_BYTES
