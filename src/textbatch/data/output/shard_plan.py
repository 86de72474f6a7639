"""The plan of a job that several processes do without a driver: `_plan.jsonl` in its output.

Each process makes the same plan and writes the same file, so it does not matter who was last.
`finish` reads there what has to be in the output, and needs neither the options nor the model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta

from textbatch.data.json_text import json_text
from textbatch.data.storage.file_io import exists, new_input, new_output
from textbatch.data.storage.files import read_whole
from textbatch.data.storage.location import Location
from textbatch.data.storage.names import is_file_name
from textbatch.data.strict_json import Count, RunId, Sha256, Version, read_record, to_json
from textbatch.errors import DataError

PLAN = "_plan.jsonl"
_MOST_BYTES = 1 << 30
_ShortText = Annotated[str, Meta(min_length=1, max_length=128)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHead:
    """The first line.

    Attributes:
        format: Version of the file.
        textbatch: Version of textbatch.
        job: Key of the job.
        fingerprint: Fingerprint of the bundle.
        inputs: A hash of the states of all inputs.
        parts: Number of parts.
        lines: The sha256 of the lines of the parts.
        input: The inputs as they were given.
        model: The model as it was given.
        max_bad_rows: The limit for the whole job.
        min_rows: How many rows the job must have.
        compared_with: For each model what `finish` compares the rows with, as JSON values, which
            another room reads; None where there is nothing.
        on_drift: What `finish` does where they differ.
    """

    format: Literal[1] = 1
    textbatch: Version
    job: Sha256
    fingerprint: Sha256
    inputs: Sha256
    parts: Count
    lines: Sha256
    input: str
    model: str
    max_bad_rows: str
    min_rows: Count
    compared_with: tuple[dict[str, Any] | None, ...] = ()
    on_drift: Literal["report", "warn", "fail"] = "report"

    def is_same(self, other: PlanHead) -> bool:
        """Whether another plan has the same parts."""
        return (self.job, self.inputs, self.lines) == (other.job, other.inputs, other.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """A file that a part is made of.

    Attributes:
        place: Where it is.
        size: Its size in bytes.
        version: A text that changes when it changes.
    """

    place: str
    size: Count
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPart:
    """A part that the output has to have.

    Attributes:
        part: Its name in the folder.
        id: What its footer says in place of a run's id.
        state: As in `PartRecord`.
        name: As in `InputRecord`.
        size: As in `InputRecord`.
        version: As in `InputRecord`.
        rows: How many rows its input has; None if only reading tells.
        whole: Whether it is of one whole file, whose content its footer knows.
        files: The files that it is made of.
    """

    part: str
    id: RunId
    state: _ShortText
    name: str
    size: Count
    version: str
    rows: Count | None
    whole: bool
    files: tuple[PlannedFile, ...]

    def __post_init__(self) -> None:
        if not is_file_name(self.part):
            raise ValueError("the part is no path in the folder")


def lines_of(parts: Iterable[PlannedPart]) -> bytes:
    """Write the lines of the parts."""
    return b"".join(_line(part) for part in parts)


def write_plan(folder: Location, head: PlanHead, lines: bytes) -> None:
    """Write the plan into its folder, whole or not at all.

    Args:
        folder: The output.
        head: Its first line.
        lines: The lines of its parts.

    Raises:
        StorageError: The disk is full or failing.
        TryAgainError: The store failed for too long.
    """
    new_output(folder / PLAN).write(_line(head) + lines)


def read_head(folder: Location) -> PlanHead | None:
    """Read the first line of a plan; None if there is no plan.

    Raises:
        DataError: It is damaged.
    """
    found = read_plan(folder)
    return found and found[0]


def read_plan(folder: Location) -> tuple[PlanHead, list[PlannedPart]] | None:
    """Read the plan in a folder; None if there is none.

    Raises:
        DataError: It is damaged.
        StorageError: It cannot be read.
    """
    place = folder / PLAN
    if not exists(place):
        return None
    content = read_whole(new_input(place), limit=_MOST_BYTES)
    first, _, lines = content.partition(b"\n")
    try:
        head = read_record(PlanHead, first)
        parts = [read_record(PlannedPart, line) for line in lines.splitlines()]
    except ValueError as error:
        raise _damaged(place) from error
    if hash_of(lines) != head.lines or len(parts) != head.parts:
        raise _damaged(place)
    return head, parts


def hash_of(lines: bytes) -> str:
    """The hash of the lines of a plan."""
    return hashlib.sha256(lines).hexdigest()


def _line(record: object) -> bytes:
    return f"{json_text(to_json(record), ascii_only=True)}\n".encode()


def _damaged(place: Location) -> DataError:
    return DataError(
        f"{place} is damaged, or of another version of textbatch",
        "remove it, then run the shares again",
    )
