"""One file or folder of texts, counted as a stream."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from textbatch.data.choices import CHUNK_ROWS
from textbatch.data.output.footer import find_footer
from textbatch.data.output.signs import Signs, UnknownTokens
from textbatch.data.readers.column_names import shown
from textbatch.data.readers.inputs import input_files
from textbatch.data.readers.listing import ListedFile
from textbatch.data.readers.read_progress import Reading
from textbatch.data.readers.source import open_input, require_column
from textbatch.data.readers.text_column import check_text_type
from textbatch.data.storage.location import STANDARD_INPUT, Location
from textbatch.errors import ConflictError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.quality.reference import unknown_in
from textbatch.model.quality.text_counts import TextCounts
from textbatch.options.credentials import quoted
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.scoring.chunks import read_chunks
from textbatch.scoring.profile.options import ProfileConfig
from textbatch.text.vocabulary import OOV_ID

_STEP = "reading"


@dataclass(slots=True, kw_only=True)
class Side:
    """What one file or folder holds.

    Attributes:
        path: Where it is.
        counts: Its texts.
        answers: The answers that its files hold; None if `score` has not written all of them.
        unknown: Their tokens, and those that the model does not know; None without a model.
        fingerprints: The fingerprints of the models that answered.
        warnings: What the user should know.
    """

    path: str
    counts: TextCounts = field(default_factory=TextCounts)
    answers: Signs | None = None
    unknown: UnknownTokens | None = None
    fingerprints: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)


def side_of(
    place: Location, config: ProfileConfig, model: Bundle | None, progress: Progress
) -> Side:
    """Count the texts of a file or a folder. Memory does not grow with them.

    Args:
        place: The file or the folder.
        config: How it is read.
        model: What knows tokens; None for none.
        progress: Called as rows are read.

    Raises:
        InputNotFoundError: There is nothing.
        DataError: A file is malformed, or lacks the column.
        ConflictError: It has no answers of the model that `--of` names.
    """
    side = Side(path=os.fspath(place), unknown=UnknownTokens() if model else None)
    column = config.text_column or (model.settings.text_column if model else "text")
    with input_files((place,), config.reading()) as files:
        if place != STANDARD_INPUT:
            _add_answers(side, files, config.of)
        with step_of(progress, None, step=_STEP) as step:
            reading = Reading(files, step.advance)
            for one in files:
                reading.next_file()
                _add_file(side, one, column, config, reading, model)
    return side


def _add_file(
    side: Side,
    one: ListedFile,
    column: str,
    config: ProfileConfig,
    reading: Reading,
    model: Bundle | None,
) -> None:
    source = open_input(one.file, config.reading())
    require_column(source, column, "--text-column")
    kind = source.schema.field(column).type
    check_text_type(kind, f"{source.file} column {shown(column)}", config.join_lists)
    for chunk in read_chunks(source, column, (), CHUNK_ROWS, config):
        texts = side.counts.add(chunk.texts, chunk.undecodable)
        if model and side.unknown is not None:
            side.unknown += unknown_in(model.classifier.tokenizer.encode(texts), OOV_ID)
        reading.read_from(source, len(chunk.texts))
    one.check_unchanged()


def _add_answers(side: Side, files: Sequence[ListedFile], of: str | None) -> None:
    """Add up what the footers tell of the answers, where score has written all files."""
    found, known = Signs(), True
    for one in files:
        footer = find_footer(one.path)
        if footer is None:
            known = False
            continue
        name = of or ("" if not footer.models else next(iter(footer.models)))
        if of is not None and of not in footer.models:
            names = ", ".join(footer.models)
            raise ConflictError(
                f"{one.path} has no answers of a model {quoted(of)}",
                f"give --of one of {names}" if names else "leave out --of",
            )
        if of is None and len(footer.models) > 1:
            side.warnings.append(
                f"{side.path} has the answers of several models, which are not looked at; "
                f"--of names one of {', '.join(footer.models)}"
            )
            return
        counted = footer.answers[name][1]
        known = known and counted.signs is not None
        found += counted.signs or Signs()
        several = footer.models.get(name)
        side.fingerprints.add(several.fingerprint if several else footer.fingerprint)
    if side.fingerprints and not known:
        side.warnings.append(
            f"{side.path} has files that do not tell of their answers: only its texts are looked at"
        )
    elif side.fingerprints:
        side.answers = found
    elif of is not None:
        raise ConflictError(f"{side.path} was not written by score", "leave out --of")
