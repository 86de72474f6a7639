"""Where the command line prints: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console

from textbatch.cli.options import LogFormat
from textbatch.errors import printable

if TYPE_CHECKING:
    from textbatch.report.terminal.progress import Progress, Standing


class _Results(Console):
    def on_broken_pipe(self) -> None:
        """Leave the exit code to `app`: rich would exit with 1."""
        raise BrokenPipeError  # without errno, or typer would do the same


#: Progress, steps, warnings, errors.
errors = Console(stderr=True, soft_wrap=True, highlight=False)
#: Results.
results = _Results(highlight=False)

#: What every event of a JSON log says; None while messages are text.
_log: dict[str, str] | None = None


def log_as(log_format: LogFormat, *, command: str, run_id: str) -> None:
    """Have all further messages written as text or as JSON lines."""
    global _log
    _log = {"run_id": run_id, "command": command} if log_format == "json" else None


def event(name: str, fields: Mapping[str, Any], *, level: str = "info") -> None:
    """Write one line of a JSON log; without one, do nothing."""
    if _log is None:
        return
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = json.dumps({"time": time, "level": level, "event": name, **_log, **fields})
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def print_json(record: Mapping[str, Any]) -> None:
    """Print one JSON record on one line of stdout."""
    plain = sys.stdout.encoding.lower() != "utf-8"
    try:
        sys.stdout.write(json.dumps(record, ensure_ascii=plain) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        results.on_broken_pipe()


def print_line(line: str) -> None:
    """Print a line of results: whole for a program, wrapped between words on a terminal."""
    results.print(printable(line), markup=False, soft_wrap=not results.is_terminal)


def say(line: str) -> None:
    """Print a line for a person who waits."""
    if _log is None:
        errors.print(printable(line), markup=False, soft_wrap=not errors.is_terminal)
        return
    message = line.removeprefix("warning: ")
    event("message", {"message": message}, level="info" if message == line else "warning")


def error_line(kind: str, message: str, *, code: int) -> int:
    """Print the one line that a failure leaves, and hand its exit code on."""
    if _log is None:
        told = f"textbatch: error[{kind}]: {printable(message)}"
        errors.print(told, markup=False, soft_wrap=not errors.is_terminal)
    else:
        fields = {"error": kind, "message": message, "exit_code": code}
        event("failed", fields, level="error")
    return code


def progress() -> Progress:
    """What tells of a long step: a bar, lines of text, or events."""
    from textbatch.report.terminal.progress import progress_on

    return progress_on(errors, _tell if _log else None)


@contextmanager
def progress_shown() -> Iterator[Progress]:
    """Tell of long steps, and leave the terminal as it was."""
    shown = progress()
    try:
        yield shown
    finally:
        shown.end()


def print_record(
    record: Mapping[str, Any], parts: Callable[[], Iterable[Any]], *, as_json: bool
) -> None:
    """Log what a run has done, and print it.

    Args:
        record: For programs.
        parts: Tables and lines for people, made only where they are printed.
        as_json: Whether a program reads.
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


def _tell(standing: Standing) -> None:
    event("progress", asdict(standing))
