"""Where the command line prints: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console

#: Progress, steps, warnings, errors.
errors = Console(stderr=True, soft_wrap=True, highlight=False)
#: Results.
results = Console(highlight=False)


def print_json(record: Mapping[str, Any]) -> None:
    """Print one JSON record on one line of stdout."""
    sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")


def say(line: str) -> None:
    """Print a line for a person who waits."""
    errors.print(line, markup=False)


def error_line(kind: str, message: str) -> None:
    """Print the one line that a failure leaves."""
    printable = "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)
    errors.print(f"textbatch: error[{kind}]: {printable}", markup=False)
