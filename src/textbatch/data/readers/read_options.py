"""How input files are read, the same for every command."""

from __future__ import annotations

from dataclasses import dataclass

from textbatch.data.choices import InputFormat, Quoting


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How input files are read.

    Attributes:
        input_format: Format of the files; `auto` takes it from their names.
        encoding: Encoding of CSV and JSON Lines; None is UTF-8.
        delimiter: The character between cells of CSV; None is a tab in `.tsv`, otherwise a comma.
        quoting: For CSV: `auto` reads quotes as CSV and TSV have them, `none` as characters.
        null_text: Texts that mean a missing text.
    """

    input_format: InputFormat = "auto"
    encoding: str | None = None
    delimiter: str | None = None
    quoting: Quoting = "auto"
    null_text: tuple[str, ...] = ()
