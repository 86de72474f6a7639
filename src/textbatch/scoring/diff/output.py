"""One output as a stream of answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.choices import LabelNaming
from textbatch.data.output.any_folder import folder_at
from textbatch.data.output.any_output import recorded_format, text_format
from textbatch.data.output.footer import OutputFooter, find_footer, prefixes_in
from textbatch.data.output.seal_record import recorded_columns
from textbatch.data.readers.class_labels import LabelChoice, LabelColumn
from textbatch.data.readers.column_names import listed, shown
from textbatch.data.readers.label_values import can_be_labels, label_texts
from textbatch.data.readers.parquet import ParquetSource
from textbatch.data.readers.text_column import decode_texts, stored_type
from textbatch.data.storage.file_io import is_folder, new_input
from textbatch.data.storage.location import Location
from textbatch.errors import ConflictError, DataError
from textbatch.options.credentials import quoted
from textbatch.scoring.config import ANSWERS
from textbatch.scoring.diff.answers import Answers, Codes
from textbatch.scoring.diff.text_batches import BLOCK_ROWS, text_batches
from textbatch.scoring.output_files import output_files

_REMEDY = "restore it, or score the input again"
#: What has the same marks was made from the same rows: the rows of each part, and its input.
Marks = tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Some rows of an output that follow each other.

    Attributes:
        answers: The answers.
        beside: Other columns that were asked for, by name. Shape of each `(rows,)`.
    """

    answers: Answers
    beside: dict[str, pa.Array]

    def __len__(self) -> int:
        return len(self.answers)

    def cut(self, start: int, rows: int) -> Rows:
        """Some of the rows.

        Args:
            start: The first one, from 0.
            rows: How many.
        """
        return Rows(
            answers=self.answers[start : start + rows],
            beside={name: one.slice(start, rows) for name, one in self.beside.items()},
        )


class Output:
    """An output that is compared.

    Attributes:
        path: Where it is.
        files: Its files, in the order of the rows.
        footer: What its first file says about the run; None if score did not write it.
        rows: Number of rows; None if only reading tells.
        marks: What it was made from; empty if that is not known.
        names: Names of the columns with label, confidence and status. The last two may be missing.
        columns: Names of all columns.
    """

    def __init__(self, path: Location, of: str | None) -> None:
        """Look at an output.

        Args:
            path: A file or a folder that `score` wrote.
            of: The name of the model, where it has the answers of several.

        Raises:
            InputNotFoundError: There is nothing at the place.
            DataError: It is no complete output, or lacks a label column.
            ConflictError: It is not clear which model is meant.
        """
        self.path = path
        self.rows: int | None = None
        self.marks: Marks = ()
        if is_folder(path):
            self._look_at_folder()
        self.files = list(output_files(path))
        if not self.files:
            raise DataError(f"{path} holds no file", "name an output with rows")
        first = self.files[0]
        self.footer: OutputFooter | None = find_footer(first)
        prefix, self.model = self._prefix(first, of)
        self.columns = self._columns_of(first)
        self.names = tuple(f"{prefix}{name}" for name in ANSWERS)
        self.require(self.names[0], first)
        if self.rows is None:
            self._count()

    def _look_at_folder(self) -> None:
        folder = folder_at(self.path)
        success = folder.success()
        if success is None:
            if folder.has_manifest():
                raise DataError(
                    f"{self.path} has no _SUCCESS: its job has not finished", "run the job again"
                )
            return
        folder.check_manifest(success)
        self.rows, marks = success.rows_out, []
        for record in folder.records():
            if not folder.has(record.part):
                raise DataError(f"{self.path} has lost its part {record.part}", _REMEDY)
            marks.append((record.rows_out, record.input.mark.content))
        whole = not success.rows_quarantined and all(content for _, content in marks)
        self.marks = tuple(marks) if whole else ()

    def _prefix(self, first: Location, of: str | None) -> tuple[str, str]:
        # A file that score did not write has no prefix.
        prefixes = prefixes_in(first) or {"": ""}
        names = [name for name in prefixes if name]
        if of is not None and of not in names:
            raise ConflictError(
                f"{self.path} has no answers of a model {quoted(of)}",
                f"give --of one of {', '.join(names)}" if names else "leave out --of",
            )
        if of is None and len(names) > 1:
            raise ConflictError(
                f"{self.path} has the answers of several models",
                f"say which is meant: --of with one of {', '.join(names)}",
            )
        name = next(iter(prefixes)) if of is None else of
        return prefixes[name], name

    def _count(self) -> None:
        counted = [_rows_of(file) for file in self.files]
        known = [rows for rows in counted if rows is not None]
        self.rows = sum(known) if len(known) == len(counted) else None
        if self.footer and len(self.files) == 1 and not self.footer.rows_quarantined:
            content = self.footer.input.content
            self.marks = ((self.footer.rows_out, content),) if content else ()

    def require(self, column: str, file: Location | None = None) -> None:
        """Check that there is a column.

        Args:
            column: Its name.
            file: The file that was looked at, for the message.

        Raises:
            DataError: There is none.
        """
        if column not in self.columns:
            raise DataError(
                f"{file or self.path} has no column {shown(column)}; its columns are "
                f"{listed(self.columns)}",
                "name what score wrote, or a column that is there",
            )

    def label_column(self, column: str, naming: LabelNaming) -> LabelColumn | None:
        """How the values of a column of true labels become texts; None for text formats.

        Args:
            column: Its name.
            naming: What integers become that have names.

        Raises:
            DataError: The names in the footer cannot be used.
        """
        first = self.files[0]
        if text_format(first):
            return None
        source = ParquetSource(new_input(first))
        return LabelColumn(source, LabelChoice(column=column, naming=naming, known=self.labels))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels of its model; none where that is not known."""
        if self.footer is None:
            return ()
        _, counted = self.footer.answers[self.model]
        return tuple(counted.labels)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the model; empty if it is not known."""
        if self.footer is None:
            return ""
        several = self.footer.models.get(self.model)
        return several.fingerprint if several else self.footer.fingerprint

    @property
    def beside(self) -> list[str]:
        """The columns that came from the input."""
        added = (
            tuple(prefix for prefix, _ in self.footer.answers.values()) if self.footer else ("",)
        )
        own = {f"{prefix}{name}" for prefix in added for name in _ADDED}
        return [name for name in self.columns if name not in own]

    def stream(self, labels: Codes, statuses: Codes, beside: Sequence[str] = ()) -> Iterator[Rows]:
        """Yield all rows, in order, some at a time.

        Args:
            labels: Numbers the labels.
            statuses: Numbers the statuses.
            beside: Other columns to read.

        Raises:
            DataError: A file is damaged, or has other columns than the first one.
            StorageError: It cannot be read.
        """
        label, confidence, status = self.names
        for batch in self.batches([*self.names, *beside]):
            yield Rows(
                answers=Answers(
                    labels=labels.of(self._texts(batch[label], label)),
                    confidences=_numbers(batch[confidence]),
                    statuses=statuses.of(self._texts(batch[status], status)),
                ),
                beside={name: batch[name] for name in beside},
            )

    def batches(self, columns: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Yield some columns of all rows, some rows at a time, by name.

        Args:
            columns: Names of the columns. One that the first file lacks is null.

        Raises:
            DataError: A file is damaged, or lacks a column that the first one has.
            StorageError: It cannot be read.
        """
        there = [name for name in dict.fromkeys(columns) if name in self.columns]
        for file in self.files:
            form = text_format(file)
            found = text_batches(file, there) if form else self._of_parquet(file, there)
            for batch in found:
                rows = len(batch[there[0]])
                lacking = {name: pa.nulls(rows, pa.string()) for name in columns}
                yield lacking | batch

    def _of_parquet(self, file: Location, columns: list[str]) -> Iterator[dict[str, pa.Array]]:
        source = ParquetSource(new_input(file))
        for name in columns:
            if name not in source.schema.names:
                raise DataError(f"{file} has no column {shown(name)}, as other parts have", _REMEDY)
        for batch in source.batches(columns, BLOCK_ROWS):
            yield dict(zip(columns, batch.columns, strict=True))

    def _texts(self, column: pa.Array, name: str) -> pa.Array:
        if pa.types.is_null(column.type):
            return column.cast(pa.string())
        if not can_be_labels(stored_type(column.type)):
            raise DataError(f"{self.path} column {shown(name)} holds no labels", _REMEDY)
        if not pa.types.is_dictionary(column.type):
            return decode_texts(label_texts(column))[0]
        values, _ = decode_texts(label_texts(column.dictionary))
        return pa.DictionaryArray.from_arrays(column.indices, values)

    def _columns_of(self, file: Location) -> list[str]:
        if text_format(file) is None:
            return list(ParquetSource(new_input(file)).schema.names)
        first = next(text_batches(file, None), None)
        if first is None and recorded_format(file):
            return list(recorded_columns(file))
        return list(first or {})


#: What the name of a column ends with that `score` may add.
_ADDED = (
    *ANSWERS,
    *("probabilities", "top_labels", "top_confidences", "label_set", "novelty", "explanation"),
)


def _rows_of(file: Location) -> int | None:
    if text_format(file):
        footer = find_footer(file) if recorded_format(file) else None
        return footer.rows_out if footer else None
    return ParquetSource(new_input(file)).num_rows


def _numbers(column: pa.Array) -> np.ndarray:
    """Confidences, NaN for null. Shape `(rows,)`."""
    try:
        numbers = column.cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError("a column of confidences holds something else", _REMEDY) from error
    return np.asarray(pc.fill_null(numbers, float("nan")).to_numpy(zero_copy_only=False))
