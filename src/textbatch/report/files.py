"""Writes reports as JSON files, on failure too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from textbatch.data.json_text import json_text
from textbatch.data.storage.file_io import new_output
from textbatch.data.storage.location import Location
from textbatch.data.storage.places import check_apart, check_usable
from textbatch.errors import (
    InterruptError,
    TerminatedError,
    TextbatchError,
    exit_code_of,
)
from textbatch.report.options import ReportOptions

#: Increased when a field changes its meaning or is removed.
SCHEMA_VERSION = 1
_INTERRUPTIONS: dict[type[BaseException], str] = {
    InterruptError: "stopped by SIGINT",
    KeyboardInterrupt: "stopped by SIGINT",
    TerminatedError: "stopped by SIGTERM",
}


@contextmanager
def job_reported(config: ReportOptions, describe: Callable[[], dict[str, Any]]) -> Iterator[None]:
    """Check the places of a job; run it, and if it fails, report why; see `failure_reported`.

    Args:
        config: The options of the job.
        describe: Gives the report so far.

    Raises:
        PlaceTakenError: A place that is to be written has another use. Nothing was written.
        TextbatchError: Another place cannot be used.
    """
    check_apart(type(config), vars(config))
    with failure_reported(config.report, describe):
        check_usable(config)
        yield


@contextmanager
def failure_reported(
    path: Location | None, describe: Callable[[], dict[str, Any]]
) -> Iterator[None]:
    """If the body fails, write what it had done and why it stopped. Then raise the error again.

    Args:
        path: The report file; None writes nothing.
        describe: Gives the report so far.

    Raises:
        OutputError: The report cannot be made there. Nothing has been done yet.
        AccessError: The directory is not writable.
    """
    if path:
        new_output(path).check(stream=True)
    try:
        yield
    except BaseException as error:
        # The text of a foreign error is not written, because it may quote a cell.
        told = (
            str(error)
            if isinstance(error, TextbatchError)
            else _INTERRUPTIONS.get(type(error), type(error).__name__)
        )
        outcome = {"state": "failed", "error": told, "exit_code": exit_code_of(error)}
        if path and _may_be_replaced(path):
            with suppress(Exception):  # the first error is the one to tell
                write_json(path, {"schema_version": SCHEMA_VERSION, **describe(), **outcome})
        raise


@contextmanager
def only_warned(what: str, warn: Callable[[str], None]) -> Iterator[None]:
    """Turn an error into a warning: what is written about a job that is done cannot undo it.

    Args:
        what: What the body writes.
        warn: Gets the warning.
    """
    try:
        yield
    except Exception as error:
        # The text of a foreign error is not told, because it may quote a cell.
        told = str(error) if isinstance(error, TextbatchError) else type(error).__name__
        warn(f"warning: the job is done, but {what} could not be written: {told}")


def _may_be_replaced(path: Location) -> bool:
    """Whether nothing but an older report stands at the place of a report on this machine."""
    place = new_output(path)
    try:
        if not place.exists() or place.staged:
            return True
        with place.to_input_file().open() as opened:
            return b'"schema_version"' in opened.read(200)
    except TextbatchError:
        return False


def write_json(path: Location, record: dict[str, Any]) -> None:
    """Write a JSON file. A reader sees the old file or the whole new one.

    Args:
        path: The file.
        record: What it holds.

    Raises:
        StorageError: The file cannot be written.
        OutputError: Its directory does not exist.
        AccessError: The store does not allow it.
    """
    write_whole(path, json_text(record, indent=2) + "\n")


def write_whole(path: Location, text: str) -> None:
    """Write a text file. A reader sees the old file or the whole new one.

    Args:
        path: The file.
        text: What it holds.

    Raises:
        StorageError: The file cannot be written.
        OutputError: Its directory does not exist.
        AccessError: The store does not allow it.
    """
    # Names that are not UTF-8 become \udc.. escapes.
    new_output(path).write(text.encode("utf-8", "backslashreplace"))
