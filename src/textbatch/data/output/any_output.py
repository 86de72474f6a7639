"""One output of any format: what writes it, what it says about itself, and its seal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa

from textbatch.data.output.output_format import OutputFormat, find_format, format_of_output
from textbatch.data.output.output_writer import OutputWriter
from textbatch.data.output.seal import check_seal
from textbatch.data.output.seal_record import check_record, has_record, record_entries, record_of
from textbatch.data.output.work_directory import work_directory_of
from textbatch.data.readers.parquet import footer_entries
from textbatch.data.readers.parquet_types import ColumnTypes
from textbatch.data.storage.file_io import exists, new_input
from textbatch.data.storage.location import Location, is_local, local, resolved
from textbatch.errors import DataError, storage_errors


def open_output(
    path: Path,
    schema: pa.Schema,
    *,
    run_id: str,
    overwrite: bool,
    types: Mapping[str, ColumnTypes],
    quote_empty: bool,
) -> OutputWriter:
    """Open an output to be written, in the format that its name says.

    Args:
        path: The final path.
        schema: The columns.
        run_id: Id of this run, for the name of the temporary file.
        overwrite: Whether an existing file may be replaced.
        types: Types of columns that Arrow does not know, for the footer of Parquet.
        quote_empty: Whether CSV tells empty texts from nulls.

    Raises:
        ConflictError: The name says no format.
        OutputError: The output exists, or its directory does not.
        AccessError: The directory is not writable.
    """
    form = format_of_output(path)
    # Only the writer that is needed is imported.
    if form.is_text:
        from textbatch.data.output.text_file import TextOutput

        return TextOutput(
            path, schema, form, run_id=run_id, overwrite=overwrite, quote_empty=quote_empty
        )
    from textbatch.data.output.parquet_file import ParquetOutput

    return ParquetOutput(path, schema, run_id=run_id, overwrite=overwrite, types=types)


def places_of_output(output: Location) -> list[Location]:
    """All that a run writes for an output: its files, and the work directory beside it."""
    places: list[Location] = [output]
    if form := find_format(output):
        places += [record_of(output)] if form.is_text else []
    if is_local(output):
        places.append(work_directory_of(local(output)))
        # The lock of a folder is beside the folder that a link leads to.
        places.append(work_directory_of(local(resolved(output))))
    return places


def files_of(output: Location) -> list[Location]:
    """The places of all files of an output, in the order in which they appear.

    Args:
        output: The place of the output.
    """
    form = find_format(output)
    return [record_of(output), output] if form and form.is_text else [output]


def entries_of(output: Location) -> dict[str, str]:
    """Read what an output says about itself; empty if it says nothing.

    The entries of a record are not checked: they are true only where `check_any_seal` agrees.

    Raises:
        StorageError: It cannot be read.
    """
    return record_entries(output) if recorded_format(output) else footer_entries(output)


def check_any_seal(output: Location, *, on_bytes: Callable[[int], None] = lambda _: None) -> str:
    """Hash an output, and compare the hash with its seal.

    Args:
        output: The output.
        on_bytes: Called with the number of bytes that were hashed since the last call.

    Returns:
        The seal.

    Raises:
        InputNotFoundError: There is no such file.
        DataError: It was changed, is cut off, or has no seal.
    """
    if recorded_format(output):
        return check_record(output, on_bytes=on_bytes)
    if text_format(output):
        raise DataError(
            f"{output} has no seal: {record_of(output)} is not beside it",
            "restore it, or score the input again",
        )
    return check_seal(output, on_bytes=on_bytes)


def is_changed(output: Location) -> bool:
    """Whether an output with a record is not as it was written, or the record is of another file.

    Args:
        output: The output. What a footer says belongs to its file, and needs no such check.
    """
    if not recorded_format(output):
        return False
    try:
        check_record(output)
    except DataError:
        return True
    return False


def text_format(output: Location) -> OutputFormat | None:
    """The format of a file that is CSV or JSON Lines by its name; None for Parquet.

    Args:
        output: The file.
    """
    form = find_format(output)
    # An older textbatch wrote Parquet, whatever the name was.
    return form if form and form.is_text and not _is_parquet(output) else None


def recorded_format(output: Location) -> OutputFormat | None:
    """The format of an output that has a record; None for Parquet, and without a record.

    Args:
        output: The output.
    """
    form = text_format(output)
    return form if form and has_record(output) else None


def _is_parquet(output: Location) -> bool:
    if not exists(output):
        return False
    with storage_errors(output, "cannot read"), new_input(output).open() as file:
        head = file.read(4)
        file.seek(max(0, file.seek(0, 2) - 4))
        return head == file.read(4) == b"PAR1"
