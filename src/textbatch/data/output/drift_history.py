"""The history file of a series of runs: JSON Lines, a line for each run, no text.

A new line is added under a lock, and the file is replaced in one step: whatever is killed leaves
the old file or the new one, and of two jobs at once each adds its line.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from textbatch.data.choices import MOST_MODELS
from textbatch.data.json_text import json_text
from textbatch.data.output.signs import Signs, UnknownTokens
from textbatch.data.storage.atomic_file import atomic_file
from textbatch.data.strict_json import Count, Sha256, read_record, to_json
from textbatch.errors import DataError, OutputError, StorageError, storage_errors

_VERSION = 1
#: More is no history: a thousand labels and ten years of nights are less.
_MOST_BYTES = 1 << 30
_ATTEMPTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelNight:
    """What a model has answered in a run.

    Attributes:
        name: Its name; empty for one alone.
        fingerprint: Fingerprint of its bundle.
        signs: Its answers, and the lengths of the texts.
        unknown: The tokens of the rows that the run predicted; None where it predicted none.
    """

    name: Annotated[str, Meta(max_length=100)] = ""
    fingerprint: Sha256
    signs: Signs
    unknown: UnknownTokens | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """What is kept of a run.

    Attributes:
        history_version: Of this layout.
        id: A hash of the output's place, the models, and all that was counted: the same run again
            has the same one.
        time: When the run began, UTC, ISO 8601.
        rows: Rows that it read.
        models: What each model has answered.
    """

    history_version: Annotated[int, Meta(ge=_VERSION, le=_VERSION)] = _VERSION
    id: Sha256
    time: Annotated[str, Meta(max_length=40)]
    rows: Count
    models: Annotated[list[ModelNight], Meta(max_length=MOST_MODELS)]


def read_history(path: Path) -> list[HistoryLine]:
    """Read a history; a file that is not there yet is an empty one.

    Args:
        path: The file.

    Raises:
        DataError: It holds something else.
        OutputError: It is a folder or a device.
        StorageError: It cannot be read.
    """
    with storage_errors(path, "cannot read"):
        if not path.exists():
            return []
        if not path.is_file():
            raise OutputError(f"{path} is no file", "name another one with --drift-history")
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    return list(_lines(path, data))


def add_line(path: Path, line: HistoryLine) -> bool:
    """Add a run to a history, unless it is there.

    Args:
        path: The file.
        line: The run.

    Returns:
        Whether it was added.

    Raises:
        DataError: The file holds something else; it stays as it is.
        OutputError: Its directory does not exist.
        StorageError: It cannot be read, written or locked.
    """
    # A link stays one: what it leads to is replaced.
    path = Path(os.path.realpath(path))
    with _locked(path):
        lines = read_history(path)
        if any(one.id == line.id for one in lines):
            return False
        with atomic_file(path) as file:
            for one in (*lines, line):
                file.buffered.write(json_text(to_json(one)).encode() + b"\n")
    return True


def _lines(path: Path, data: bytes) -> Iterator[HistoryLine]:
    remedy = "nothing in it was changed; restore it, or name another file with --drift-history"
    if len(data) > _MOST_BYTES:
        raise DataError(f"{path} is too large for a history of drift", remedy)
    if data and not data.endswith(b"\n"):
        raise DataError(f"{path} is no history of drift, or its last line was cut", remedy)
    for number, text in enumerate(data.splitlines(), 1):
        try:
            yield read_record(HistoryLine, text)
        except ValueError as error:
            told = f"{path} line {number:,} is not of a history of drift, or of a newer textbatch"
            raise DataError(told, remedy) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the file alone. An empty one is made where there is none."""
    with storage_errors(path, "cannot lock", missing=OutputError):
        descriptor = _lock(path)
    try:
        yield
    finally:
        with suppress(OSError):
            os.close(descriptor)


def _lock(path: Path) -> int:
    for _ in range(_ATTEMPTS):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Whoever held it before has put another file in its place.
            if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    raise StorageError(f"{path} is replaced again and again", "run again")
