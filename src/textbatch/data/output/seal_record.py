"""The seal of an output without a footer: a small file beside it.

`out.csv` has `_out.csv.seal.json`. Its name begins with `_`, so that readers of folders leave it
out. It holds what a footer holds, and the seal: one sha256 of every byte of the output and then of
this file, with 64 zeros in the place of the seal. It appears just before the output, so an output
that is there has its record. Where it is lost, or of another file, the seal does not fit, and
`score` and `verify` say so.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from textbatch.data.json_text import json_text
from textbatch.data.output.seal import BLANK, SEAL
from textbatch.data.storage.atomic_file import atomic_file
from textbatch.data.storage.file_io import exists, new_input
from textbatch.data.storage.files import read_whole
from textbatch.data.storage.location import Location, parent_of
from textbatch.data.storage.names import fitting_name
from textbatch.data.strict_json import as_record, parse_json
from textbatch.errors import DataError, storage_errors

#: The entry with the types that the columns had.
COLUMNS = "columns"
_MOST_BYTES = 64 << 20
_BLOCK_BYTES = 1 << 20
_REMEDY = "restore both, or score the input again"


def record_of(output: Location) -> Location:
    """The place of the record of an output."""
    return parent_of(output) / fitting_name("_", output.name, ".seal.json")


def has_record(output: Location) -> bool:
    """Whether there is a record beside an output."""
    return exists(record_of(output))


class SealRecord:
    """The content of a record.

    Attributes:
        seal: The seal.
    """

    def __init__(self, metadata: Mapping[str, str], sha256: Any) -> None:  # noqa: ANN401 - hashlib's
        """Seal a finished output.

        Args:
            metadata: What the output says about itself.
            sha256: The hash of its bytes, which is not changed.
        """
        blank = json_text({**metadata, SEAL: BLANK}, indent=2) + "\n"
        digest = sha256.copy()
        digest.update(blank.encode())
        self.seal: str = digest.hexdigest()
        before, _, behind = blank.rpartition(BLANK)
        self._content = f"{before}{self.seal}{behind}".encode()

    def write(self, output: Path, *, owner: str) -> None:
        """Write it beside the output.

        Args:
            output: The path of the output.
            owner: See `atomic_file`.

        Raises:
            StorageError: The disk is full or failing.
        """
        with atomic_file(record_of(output), owner=owner) as file:  # type: ignore[arg-type]
            file.buffered.write(self._content)


def record_entries(output: Location) -> dict[str, str]:
    """Read what the record of an output says; empty if it cannot be read as a record."""
    try:
        return as_record(dict[str, str], parse_json(_content(output)))
    except ValueError:
        return {}


def recorded_columns(output: Location) -> dict[str, str]:
    """The names of the columns of an output, and the types that their values had.

    Raises:
        DataError: The record has been altered.
    """
    try:
        return as_record(dict[str, str], parse_json(record_entries(output).get(COLUMNS, "")))
    except ValueError as error:
        raise DataError(f"{record_of(output)} has no columns, or is damaged", _REMEDY) from error


def check_record(output: Location, *, on_bytes: Callable[[int], None] = lambda _: None) -> str:
    """Hash an output and its record, and compare the hash with the seal.

    Args:
        output: The output.
        on_bytes: Called with the number of bytes that were hashed since the last call.

    Returns:
        The seal.

    Raises:
        InputNotFoundError: One of them is not there.
        DataError: One of them was changed.
    """
    place = record_of(output)
    seal = record_entries(output).get(SEAL, "")
    before, found, behind = _content(output).rpartition(seal.encode() or BLANK.encode())
    if len(seal) != len(BLANK) or not found:
        raise DataError(f"{place} has no seal, or is damaged", _REMEDY)
    digest = hashlib.sha256()
    with storage_errors(output, "cannot read"), new_input(output).open() as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            on_bytes(len(block))
    digest.update(before + BLANK.encode() + behind)
    if digest.hexdigest() != seal:
        raise DataError(
            f"{output} has changed since it was written, or {place} beside it has (its seal is "
            "broken)",
            _REMEDY,
        )
    return seal


def _content(output: Location) -> bytes:
    place = record_of(output)
    with storage_errors(os.fspath(place), "cannot read"):
        return read_whole(new_input(place), limit=_MOST_BYTES)
