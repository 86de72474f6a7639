"""The files of an output, in the order of its rows."""

from __future__ import annotations

from collections.abc import Iterator

from textbatch.data.output.any_folder import folder_at
from textbatch.data.readers.listing import find_files
from textbatch.data.readers.source import format_by_name
from textbatch.data.storage.file_io import exists, is_folder
from textbatch.data.storage.location import Location
from textbatch.errors import DataError, InputNotFoundError
from textbatch.model.layout import LAYOUT


def output_files(output: Location) -> Iterator[Location]:
    """Yield the files of an output: itself, the parts of its manifest, or the files of a folder.

    Raises:
        InputNotFoundError: There is nothing at the place.
        DataError: It is a model, or its manifest is damaged.
    """
    if not is_folder(output):
        if not exists(output):
            raise InputNotFoundError(f"there is nothing at {output}", "check the path")
        yield output
        return
    folder = folder_at(output)
    if folder.has_manifest():
        yield from (output / record.part for record in folder.records())
    elif exists(output / LAYOUT.manifest):
        raise DataError(f"{output} is a model, not an output", "inspect shows models")
    else:
        files = find_files((output,), "auto", is_known=lambda _: True).files
        yield from (file.path for file in files if format_by_name(file.path.name))
