"""How input files are to be read, the same for every command."""

from __future__ import annotations

from collections.abc import Iterable

from textbatch.data.choices import InputFormat, Quoting
from textbatch.data.readers.delimiters import delimiter_of
from textbatch.data.readers.encodings import check_encoding
from textbatch.data.storage.location import STANDARD_INPUT, Location
from textbatch.errors import ConflictError, UsageError
from textbatch.options import Options, option, options


@options
class TextOptions(Options):
    """What a text is, in files and in tables in memory."""

    join_lists: str | None = option(
        "Join texts that are lists of strings, with this between.",
        default=None,
        unset="refuse them",
        metavar="SEP",
    )


@options
class ReadOptions(TextOptions):
    """How input files are to be read.

    Raises:
        UsageError: There is no such encoding or delimiter.
    """

    input_format: InputFormat = option(
        "Format of the input; auto takes it from the file name.",
        default="auto",
        flags=("--format",),
    )
    encoding: str | None = option("Encoding of CSV and JSONL files.", default=None, unset="UTF-8")
    delimiter: str | None = option(
        "Character between the cells of CSV files.",
        default=None,
        unset="a tab in .tsv, else a comma",
        of=delimiter_of,
    )
    quoting: Quoting = option(
        'Quotes in CSV files; none reads " as any other character.', default="auto"
    )
    null_text: tuple[str, ...] = option("A text that means a missing one.", default=())

    def __post_init__(self) -> None:
        super().__post_init__()
        check_encoding(self.encoding)
        if self.delimiter is not None:
            delimiter_of(self.delimiter)

    def reading(self) -> ReadOptions:
        """These options alone, where a command has more."""
        return ReadOptions(**self.in_common(ReadOptions))

    def check_standard_input(self, places: Iterable[Location | None]) -> None:
        """Check that standard input can be read, if a command is to read it.

        Args:
            places: All that the command reads.

        Raises:
            UsageError: Nothing tells its format.
            ConflictError: It is named twice.
        """
        named = sum(place == STANDARD_INPUT for place in places)
        if named and self.input_format not in ("csv", "jsonl"):
            raise UsageError("standard input has no name to go by", "give --format csv or jsonl")
        if named > 1:
            raise ConflictError("standard input is named twice", "give - in one place alone")
