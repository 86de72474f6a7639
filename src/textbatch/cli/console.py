"""Where the command line prints: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from textbatch.errors import printable


class _Results(Console):
    def on_broken_pipe(self) -> None:
        """Leave the exit code to `app`: rich would exit with 1."""
        raise BrokenPipeError  # without errno, or typer would do the same


#: Progress, steps, warnings, errors.
errors = Console(stderr=True, soft_wrap=True, highlight=False)
#: Results.
results = _Results(highlight=False)


def print_json(record: Mapping[str, Any]) -> None:
    """Print one JSON record on one line of stdout."""
    plain = sys.stdout.encoding.lower() != "utf-8"
    try:
        sys.stdout.write(json.dumps(record, ensure_ascii=plain) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        results.on_broken_pipe()


def say(line: str) -> None:
    """Print a line for a person who waits."""
    errors.print(printable(line), markup=False)


def error_line(kind: str, message: str) -> None:
    """Print the one line that a failure leaves."""
    errors.print(f"textbatch: error[{kind}]: {printable(message)}", markup=False)
