"""What an output says about itself: its rows, its parts, and that it is complete.

Each record is written and read only here. The footer of a file is in `footer`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Annotated, Any

from msgspec import Meta

from textbatch.data.json_text import json_text
from textbatch.data.output.adapted import AdaptedPriors
from textbatch.data.output.answer_counts import AnswerCounts, Bins, Models, WorkOf, fits_rows
from textbatch.data.output.signs import Signs, UnknownTokens
from textbatch.data.readers.identity import InputMark
from textbatch.data.storage.names import is_file_name
from textbatch.data.strict_json import (
    Count,
    RunId,
    Sha256,
    Share,
    Version,
    as_record,
    parse_json,
    read_record,
    to_json,
)
from textbatch.errors import DataError

#: Increased when a field of a record changes its meaning or is removed.
SCHEMA_VERSION = 1

_REMEDY = "score with --overwrite"
_BLANK = "0" * 64
#: Fields of records that are left out where they tell nothing.
_SELDOM = ("models", "work_of", "signs", "priors", "multi_label")
#: The most notes of a part that are kept, and the most characters of one.
MOST_NOTES, LONGEST_NOTE = 20, 2_000
_Note = Annotated[str, Meta(max_length=LONGEST_NOTE)]
_ShortText = Annotated[str, Meta(min_length=1, max_length=128)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTotals:
    """The number of rows, and what happened to them.

    Attributes:
        rows_in: Number of rows read.
        rows_out: Number of rows in the output.
        rows_quarantined: Number of rows in the quarantine file.
        statuses: Number of rows in the output, by status.
        labels: Number of rows, by predicted label.
        models: Of a run of several models the answers of each; then `statuses` and `labels` are
            empty, and there are no `signs`.
        signs: What answers and texts are compared by; None where an older textbatch wrote them.
        priors: With `--adapt-priors`, the mix of labels; then `signs` are of the answers before it.
        multi_label: Whether `labels` counts a row once for each of its labels. Then there are no
            `signs` and no confidences.
    """

    rows_in: Count = 0
    rows_out: Count = 0
    rows_quarantined: Count = 0
    statuses: dict[str, Count] = field(default_factory=dict)
    labels: dict[str, Count] = field(default_factory=dict)
    models: Models = field(default_factory=dict)
    signs: Signs | None = None
    priors: AdaptedPriors | None = None
    multi_label: bool = False

    @property
    def bad_rows(self) -> int:
        """Number of rows that count against `--max-bad-rows`."""
        # A text that is not UTF-8 is that for every model.
        statuses = next((one.statuses for one in self.models.values()), self.statuses)
        return self.rows_quarantined + statuses.get("bad_text", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCounts(RowTotals):
    """Totals, and the confidences of the answers.

    Attributes:
        mean_confidence: Mean confidence of the rows with a label; None without such rows.
        confidence_histogram: Number of rows that the network answered, by the confidence of their
            best label, in equal bins from 0 to 1; empty if nothing was counted.
    """

    mean_confidence: Share | None = None
    confidence_histogram: Bins = field(default_factory=list)

    def counts(self) -> RowCounts:
        """The counts alone, of a record that says more."""
        return RowCounts(**{one.name: getattr(self, one.name) for one in fields(RowCounts)})


def check_sums(rows: RowTotals) -> None:
    """Check the counts of a finished output: every row is counted exactly once.

    Raises:
        ValueError: They do not add up.
    """
    if rows.rows_in != rows.rows_out + rows.rows_quarantined:
        raise ValueError("the counts do not add up")
    told: Iterable[RowTotals | AnswerCounts] = rows.models.values() if rows.models else (rows,)
    if rows.models and (rows.statuses or rows.labels):
        raise ValueError("there are counts that are of none of the models")
    for one in told:
        bins = one.confidence_histogram if isinstance(one, RowCounts | AnswerCounts) else []
        several = rows.multi_label and not (rows.models or one.signs or one.priors or bins)
        if rows.multi_label and not several:
            raise ValueError("there are counts of one label for each row")
        if not fits_rows(rows.rows_out, one.statuses, one.labels, bins, several=several):
            raise ValueError("the counts do not add up")
        if one.signs is not None and one.signs.rows > rows.rows_out:
            raise ValueError("the signs do not add up")


def _told(record: RowTotals) -> dict[str, Any]:
    """A record as values for JSON. Only a run of several models tells of models."""
    told = to_json(record).items()
    return {name: one for name, one in told if one or name not in _SELDOM}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRecord:
    """The input of a part.

    Attributes:
        name: Its path, relative to the input of the job.
        size: Size in bytes.
        version: A text that changes when the file changes.
        mark: What recognises it where size and version are the same.
    """

    name: str
    size: Count
    version: str
    mark: InputMark = field(default_factory=InputMark)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRecord(RowCounts):
    """A finished part of a folder: one line of the ledger, and of the manifest.

    Attributes:
        part: Its path in the folder.
        state: A hash that identifies its input: the file, and its content at that time.
        input: The input.
        job: Key of the job.
        run_id: Id of the run that wrote the part.
        rows_resumed: Number of rows whose predictions come from the journal of an earlier run.
        tokens: Number of tokens in the rows that this run scored.
        unknown_tokens: Number of them that the model does not know.
        rows_early: Number of rows that the linear model answered alone in this run.
        rows_cached: Rows whose answers came from `--cache`.
        spread: How tokens and unknown ones vary between those rows.
        work_of: Of several models the last five of each but cached rows; the numbers above are
            their sums.
        seal: The seal of the part.
        fingerprint: Fingerprint of the bundle that answered; None in a record of an older
            textbatch.
        becoming: Fingerprints of the bundles that are about to answer it anew: until the job is
            complete the part may be of one of them, as its footer says.
        notes: What the report tells of the part, also that of a run that goes on after this one.
    """

    part: str
    state: _ShortText
    input: InputRecord
    job: Sha256
    run_id: RunId
    rows_resumed: Count = 0
    tokens: Count = 0
    unknown_tokens: Count = 0
    rows_early: Count = 0
    rows_cached: Count = 0
    spread: UnknownTokens = field(default_factory=UnknownTokens)
    work_of: WorkOf = field(default_factory=dict)
    seal: Sha256
    fingerprint: Sha256 | None = None
    becoming: tuple[Sha256, ...] = ()
    notes: Annotated[tuple[_Note, ...], Meta(max_length=MOST_NOTES)] = ()

    def __post_init__(self) -> None:
        check_sums(self)
        # What a file says must not lead out of the folder.
        if not is_file_name(self.part):
            raise ValueError("the part is no path in the folder")

    def to_line(self) -> bytes:
        """Write the record as a line of JSON, in ASCII.

        Names that are not UTF-8 become escapes, and are read back as they were.
        """
        return f"{json_text(_told(self), ascii_only=True)}\n".encode()

    @classmethod
    def of_line(cls, line: bytes) -> PartRecord | None:
        """Read the record of a line; None if the line is torn or damaged."""
        try:
            return read_record(cls, line) if line.endswith(b"\n") else None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class BadFile:
    """An input file that was set aside because it is malformed.

    Attributes:
        file: Its name.
        part: The part that it would have.
        state: As in `PartRecord`.
        error: What is wrong with it.
        kept: Whether the folder still has the part of an earlier version of the file.
    """

    file: str
    part: str
    state: _ShortText
    error: str
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Success(RowTotals):
    """What `_SUCCESS` says: the output is complete, and of this job.

    Attributes:
        schema_version: Version of the record.
        textbatch: Version of textbatch that wrote it.
        run_id: Id of the run that wrote it.
        finished: Time of the end, UTC, ISO 8601.
        fingerprint: Fingerprint of the bundle.
        job: Key of the job.
        inputs: A hash of the set of input files.
        parts: Number of parts.
        manifest: The sha256 of the manifest.
        bad_files: Input files that were set aside.
        seal: The sha256 of the record itself, with this field as zeros; None before it is written.
    """

    schema_version: Annotated[int, Meta(ge=1, le=SCHEMA_VERSION)] = SCHEMA_VERSION
    textbatch: Version
    run_id: RunId
    finished: _ShortText
    fingerprint: Sha256
    job: Sha256
    inputs: Sha256
    parts: Count
    manifest: Sha256
    bad_files: list[BadFile] = field(default_factory=list)
    seal: Sha256 | None = None

    def __post_init__(self) -> None:
        check_sums(self)

    def to_bytes(self) -> bytes:
        """Make the content of the file, with its seal."""
        blank = json_text({**_told(self), "seal": _BLANK}, indent=2, ascii_only=True) + "\n"
        before, _, behind = blank.rpartition(_BLANK)
        return f"{before}{hashlib.sha256(blank.encode()).hexdigest()}{behind}".encode()

    @classmethod
    def of_bytes(cls, content: bytes, path: os.PathLike[str]) -> Success:
        """Read the content of the file.

        Args:
            content: The bytes.
            path: The file, for the message.

        Raises:
            DataError: It is damaged, was changed, or is of a newer textbatch.
        """
        name = os.fspath(path)
        try:
            found = parse_json(content)
            version = found.get("schema_version") if isinstance(found, dict) else None
            if type(version) is int and version > SCHEMA_VERSION:
                raise DataError(f"{name} was written by a newer textbatch", "upgrade textbatch")
            record = as_record(cls, found)
        except ValueError as error:
            raise DataError(f"{name} is damaged, or textbatch did not write it", _REMEDY) from error
        if record.seal is not None:
            before, _, behind = content.rpartition(record.seal.encode())
            digest = hashlib.sha256(before + _BLANK.encode() + behind).hexdigest()
            if digest != record.seal:
                raise DataError(
                    f"{name} has changed since it was written (its seal is broken)", _REMEDY
                )
        return record
