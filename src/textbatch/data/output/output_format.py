"""The format of an output, which its name says: Parquet, CSV or JSON Lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, get_args

from textbatch.data.readers.compressed import CODECS
from textbatch.data.readers.source import format_by_name
from textbatch.data.storage.location import Location
from textbatch.errors import ConflictError

#: The suffixes that messages name; `source.FORMATS` has a few more.
ACCEPTED = ".parquet, .csv or .jsonl (also .csv.gz, .csv.zst, .jsonl.gz, .jsonl.zst)"


#: What can be written. Readers may know other formats.
WrittenFormat = Literal["parquet", "csv", "jsonl"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFormat:
    """How rows become a file.

    Attributes:
        kind: The format.
        delimiter: The character between the cells of CSV.
        codec: What compresses CSV or JSON Lines as a whole; None for nothing.
    """

    kind: WrittenFormat = "parquet"
    delimiter: str = ","
    codec: str | None = None

    @property
    def name(self) -> str:
        """The format for a message."""
        return {"parquet": "Parquet", "csv": "CSV", "jsonl": "JSON Lines"}[self.kind]

    @property
    def is_text(self) -> bool:
        """Whether it is CSV or JSON Lines, which have no footer."""
        return self.kind != "parquet"


def find_format(place: Location) -> OutputFormat | None:
    """The format that a name says; None if it says none that can be written.

    Args:
        place: The name of the output.
    """
    named = format_by_name(place.name)
    kinds: tuple[WrittenFormat, ...] = get_args(WrittenFormat)
    kind = next((kind for kind in kinds if kind == named), None)
    suffixes = [suffix.lower() for suffix in PurePosixPath(place.name).suffixes]
    codec = CODECS.get(suffixes[-1]) if suffixes else None
    if kind is None or (kind == "parquet" and codec):
        return None
    return OutputFormat(kind=kind, delimiter="\t" if ".tsv" in suffixes[-2:] else ",", codec=codec)


def suffixes_of(place: Location) -> str:
    """The end of a name that says the format, as `.csv.gz`.

    Raises:
        ConflictError: It says none that can be written.
    """
    form = format_of_output(place)
    return "".join(PurePosixPath(place.name).suffixes[-2 if form.codec else -1 :])


def format_of_output(place: Location) -> OutputFormat:
    """The format that a name says.

    Args:
        place: The name of the output.

    Raises:
        ConflictError: It says none that can be written.
    """
    found = find_format(place)
    if found is None:
        raise ConflictError(
            f"the name {place.name} does not say a format that score can write",
            f"give a name that ends in {ACCEPTED}, or in / for a folder",
        )
    return found
