"""Prints for the command line: results to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console

from textbatch.cli.options import LogFormat
from textbatch.cli.streams import drop_stdout
from textbatch.data.json_text import json_text
from textbatch.errors import bounded, printable

if TYPE_CHECKING:
    from textbatch.report.listener import Listener
    from textbatch.report.terminal.progress import Standing


class _Results(Console):
    def on_broken_pipe(self) -> None:
        """Let `app` choose the exit code. rich would exit with 1."""
        raise BrokenPipeError  # without errno, otherwise typer would exit with 1


#: Progress, steps, warnings, errors.
errors = Console(stderr=True, soft_wrap=True, highlight=False)
#: Results.
results = _Results(highlight=False)

#: The fields of every event of a JSON log; None while messages are text.
_log_fields: dict[str, str] | None = None


def log_as(log_format: LogFormat, *, command: str, run_id: str) -> None:
    """From now on, write messages as text or as JSON lines.

    Args:
        log_format: `text` or `json`.
        command: Name of the command, for the events.
        run_id: Id of the run, for the events.
    """
    global _log_fields
    _log_fields = {"run_id": run_id, "command": command} if log_format == "json" else None


def event(name: str, fields: Mapping[str, Any], *, level: str = "info") -> None:
    """Write one line of a JSON log; do nothing if messages are text.

    Args:
        name: Name of the event.
        fields: Its fields, as JSON values.
        level: `info`, `warning` or `error`.
    """
    if _log_fields is None:
        return
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    told = {"time": time, "level": level, "event": name, **_log_fields, **fields}
    line = json_text(told, ascii_only=True)
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def print_json(record: Mapping[str, Any]) -> None:
    """Print one JSON record on one line of stdout."""
    plain = sys.stdout.encoding.lower() != "utf-8"
    try:
        sys.stdout.write(json_text(record, ascii_only=plain) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        results.on_broken_pipe()


def print_line(line: str) -> None:
    """Print a line of results. On a terminal it is wrapped between words, but a command is not."""
    whole = not results.is_terminal or line.startswith("  ")
    results.print(printable(line), markup=False, soft_wrap=whole)


def print_advice(lines: Iterable[str]) -> None:
    """Print the next step after a command, to a person. A pipe or a log of every night needs none.

    Args:
        lines: What `report.next_steps` has made.
    """
    if results.is_terminal:
        for line in lines:
            print_line(line)


def log(line: str) -> None:
    """Print a message for a person who waits."""
    if _log_fields is None:
        errors.print(printable(line), markup=False, soft_wrap=not errors.is_terminal)
        return
    message = line.removeprefix("warning: ")
    event("message", {"message": message}, level="info" if message == line else "warning")


def error_line(kind: str, message: str, *, code: int) -> int:
    """Print the one line about a failure, and return its exit code.

    Args:
        kind: The kind of error, such as `Data`.
        message: What is wrong, where, and what to do.
        code: The exit code.
    """
    if _log_fields is None:
        told = f"textbatch: error[{kind}]: {bounded(printable(message))}"
        errors.print(told, markup=False, soft_wrap=not errors.is_terminal)
    else:
        fields = {"error": kind, "message": message, "exit_code": code}
        event("failed", fields, level="error")
    return code


def progress() -> Listener:
    """Hears a job: messages as lines or events; a long step as a bar, lines, or events."""
    from textbatch.report.terminal.progress import listener_on

    return listener_on(errors, log=log, show=_progress_event if _log_fields else None)


@contextmanager
def progress_shown() -> Iterator[Listener]:
    """Show messages and the progress of long steps. Afterwards the terminal is as it was."""
    shown = progress()
    try:
        yield shown
    finally:
        shown.end()


@contextmanager
def told_if_possible() -> Iterator[None]:
    """Print the result of a job that is done: a stdout that takes nothing is only a warning."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_stdout()
        reason = os.strerror(error.errno).lower() if error.errno else "it fails"
        log(f"warning: the job is done, but stdout does not take its result: {reason}")


def print_record(
    record: Mapping[str, Any], parts: Callable[[], Iterable[Any]], *, as_json: bool
) -> None:
    """Log what a run has done, and print it.

    Args:
        record: The record, for programs.
        parts: Makes tables and lines for people. It is called only if they are printed.
        as_json: Whether to print the record.
    """
    event("finished", record)
    if as_json:
        print_json(record)
        return
    for part in parts():
        if isinstance(part, str):
            print_line(part)
        else:
            results.print(part)


def _progress_event(standing: Standing) -> None:
    share = standing.share
    event("progress", {**asdict(standing), "share": None if share is None else float(share)})
