"""How input files are to be read, the same for every command."""

from __future__ import annotations

from dataclasses import dataclass

from textbatch.data.choices import InputFormat, Quoting


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How input files are to be read.

    Attributes:
        input_format: Format of the files; `auto` goes by their names.
        encoding: Of CSV and JSON Lines; None is UTF-8.
        delimiter: Between the cells of CSV; None is a tab in `.tsv`, else a comma.
        quoting: Of CSV: `auto` reads quotes as CSV and TSV have them, `none` as any character.
        null_text: Texts that stand for a missing one.
    """

    input_format: InputFormat = "auto"
    encoding: str | None = None
    delimiter: str | None = None
    quoting: Quoting = "auto"
    null_text: tuple[str, ...] = ()
