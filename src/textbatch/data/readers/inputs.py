"""The input files of commands that read labelled rows or texts, from any place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from textbatch.data.readers.listing import ListedFile, find_files
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.readers.stdin import spool_standard_input
from textbatch.data.storage.local import LocalInput
from textbatch.data.storage.location import STANDARD_INPUT, Location
from textbatch.data.storage.passing import passing_folder


@contextmanager
def input_files(inputs: Sequence[Location], options: ReadOptions) -> Iterator[list[ListedFile]]:
    """List the files of some places: in the order of the places and, in one place, of their names.

    Args:
        inputs: Files, folders and globs. `-` is standard input, which is a file while the body
            runs.
        options: How the files are read.

    Yields:
        The files.

    Raises:
        InputNotFoundError: A place does not exist, or nothing is found.
        DataError: A file in a folder is neither hidden nor of a known format.
        StorageError: A folder cannot be read, or standard input cannot be copied.
    """
    if STANDARD_INPUT not in inputs:
        yield find_files(inputs, options.input_format).files
        return
    with passing_folder() as folder:
        spool = LocalInput(folder / "stdin", shown="standard input")
        spool_standard_input(spool.location)
        others = [place for place in inputs if place != STANDARD_INPUT]
        files = find_files(others, options.input_format).files if others else []
        yield [ListedFile(file=spool, name="-", found=spool.look()), *files]


@contextmanager
def standard_input_as_file(inputs: tuple[Location, ...]) -> Iterator[tuple[Location, ...]]:
    """Copy standard input to a file, for inputs that are read more than once or in other processes.

    Args:
        inputs: Places; `-` is standard input.

    Yields:
        The same places, with a file instead of `-`. It exists while the body runs.

    Raises:
        StorageError: Standard input cannot be copied.
    """
    if STANDARD_INPUT not in inputs:
        yield inputs
        return
    with passing_folder() as folder:
        spool = folder / "standard-input"
        spool_standard_input(spool)
        yield tuple(spool if place == STANDARD_INPUT else place for place in inputs)
