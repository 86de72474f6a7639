"""Says why Arrow cannot read a Parquet file: it is damaged, or Arrow does not know something."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa

from textbatch.data.readers.column_names import shown
from textbatch.data.storage.files import InputFile
from textbatch.errors import DataError

#: What Arrow raises. For a damaged page it is an OSError without errno.
_FAULTS = (pa.ArrowException, OSError, UnicodeDecodeError)
#: Arrow's texts for what is not damaged. They are not passed on, because they may quote cells.
_UNKNOWN = re.compile(
    r"not (yet )?(implemented|supported)|unsupported|unknown (encoding|codec|compression)|NYI",
    re.IGNORECASE,
)
#: DuckDB writes values under an array that is null.
_ARRAY = re.compile(r"spanned by list offsets", re.IGNORECASE)
REWRITE = "write the file again from its source"


class UnreadableColumnError(DataError):
    """A column is stored in a way that Arrow does not know. Other columns can be read.

    Attributes:
        column: Name of the column.
    """

    def __init__(
        self, file: InputFile, column: str, why: str, remedy: str = "write it otherwise"
    ) -> None:
        self._file, self.column, self._why = file, column, why
        super().__init__(f"{file} has a column {shown(column)} {why}", remedy)

    def with_remedy(self, remedy: str) -> UnreadableColumnError:
        """The same error with other advice."""
        return UnreadableColumnError(self._file, self.column, self._why, remedy)

    @property
    def title(self) -> str:
        """The same as for every malformed input."""
        return "Data"


@contextmanager
def parquet_faults(told: Callable[[Exception], DataError]) -> Iterator[None]:
    """Turn what Arrow raises for a file that it cannot read into an error of this package.

    Args:
        told: Makes the error.

    Raises:
        DataError: Made by `told`.
        OSError: An error of the system, unchanged.
        MemoryError: Unchanged, although Arrow's is an `ArrowException` too.
    """
    try:
        yield
    except MemoryError:
        raise
    except _FAULTS as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise told(error) from error


def is_unknown(error: Exception) -> bool:
    """Whether Arrow does not know what it found. Otherwise the file is damaged."""
    return isinstance(error, pa.ArrowNotImplementedError) or bool(_UNKNOWN.search(str(error)))


def footer_fault(file: InputFile, error: Exception) -> DataError:
    """Make the error for a footer that Arrow cannot read.

    Args:
        file: The file.
        error: What Arrow raised.
    """
    if is_unknown(error):
        return DataError(
            f"{file} has a column of a type that this version of Arrow does not read, "
            "like integers of 128 bits",
            "cast it to a decimal or to text where the file is written, or leave it out there",
        )
    return DataError(f"{file} has a damaged Parquet footer", REWRITE)


def rows_fault(
    file: InputFile,
    error: Exception,
    *,
    row: int,
    columns: Sequence[str],
    read: Callable[[str], None],
) -> DataError:
    """Make the error for rows that Arrow cannot read.

    Args:
        file: The file.
        error: What Arrow raised.
        row: Number of rows that were read before.
        columns: The columns that were read together.
        read: Reads the same rows of one column.
    """
    for column in columns:
        try:
            read(column)
        except _FAULTS as alone:
            if is_unknown(alone):
                why = "of an encoding or type that this version of Arrow does not read"
                return UnreadableColumnError(file, column, why)
            if _ARRAY.search(str(alone)):
                why = "of lists whose lengths do not fit their values, like arrays of DuckDB"
                cast = "cast it from an array to a list where it is written"
                return UnreadableColumnError(file, column, why, cast)
            where = f" in column {shown(column)}"
            return DataError(f"{file} is damaged after row {row}{where}", REWRITE)
    return DataError(f"{file} is damaged after row {row}", REWRITE)
