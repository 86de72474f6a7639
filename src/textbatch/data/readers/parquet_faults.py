"""What is wrong with a Parquet file that Arrow does not read: damaged, or just unknown to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa

from textbatch.data.storage.files import InputFile
from textbatch.errors import DataError

#: What Arrow raises; a damaged page comes as OSError without errno.
_FAULTS = (pa.ArrowException, OSError, UnicodeDecodeError)
#: Arrow's words for what is no damage. They are only looked at: they may quote cells.
_UNKNOWN = re.compile(
    r"not (yet )?(implemented|supported)|unsupported|unknown (encoding|codec|compression)|NYI",
    re.IGNORECASE,
)
REWRITE = "write the file again from its source"


class UnreadableColumnError(DataError):
    """A column is stored in a way that Arrow does not know; the others can be read.

    Attributes:
        column: Its name.
    """

    def __init__(
        self, file: InputFile, column: str, why: str, remedy: str = "write it otherwise"
    ) -> None:
        self._file, self.column, self._why = file, column, why
        super().__init__(f"{file} has a column '{column}' {why}", remedy)

    def with_remedy(self, remedy: str) -> UnreadableColumnError:
        """The same with other advice."""
        return UnreadableColumnError(self._file, self.column, self._why, remedy)

    @property
    def title(self) -> str:
        """As of every malformed input."""
        return "Data"


@contextmanager
def parquet_faults(told: Callable[[Exception], DataError]) -> Iterator[None]:
    """Turn what Arrow raises on a file that it cannot read into an error of ours.

    Args:
        told: Makes the error.

    Raises:
        DataError: What `told` makes.
        OSError: The system's own, as it is.
        MemoryError: Arrow's is an `ArrowException` too; as it is.
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
    """Whether Arrow does not know what it found, rather than finding it damaged."""
    return isinstance(error, pa.ArrowNotImplementedError) or bool(_UNKNOWN.search(str(error)))


def footer_fault(file: InputFile, error: Exception) -> DataError:
    """What a footer that Arrow cannot read is."""
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
    """What rows that Arrow cannot read are.

    Args:
        file: The file.
        error: What Arrow raised.
        row: How many rows were read before.
        columns: The columns that were read together.
        read: Reads the same rows of one of them.
    """
    for column in columns:
        try:
            read(column)
        except _FAULTS as alone:
            if is_unknown(alone):
                why = "of an encoding or type that this version of Arrow does not read"
                return UnreadableColumnError(file, column, why)
            where = f" in column '{column}'"
            return DataError(f"{file} is damaged after row {row}{where}", REWRITE)
    return DataError(f"{file} is damaged after row {row}", REWRITE)
