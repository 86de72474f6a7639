"""What the demo shows on the terminal: tables at most 80 columns wide, then lines."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from textbatch.cli.demo.walkthrough import DemoReport
from textbatch.errors import printable
from textbatch.report.terminal.tables import evaluation_tables

_WIDTH = 80


def demo_tables(done: DemoReport) -> Iterator[RenderableType]:
    """Show some scored rows, and the metrics of the model.

    No other command shows texts on the terminal. These are made up.
    """
    yield Text("Some of the scored rows:")
    yield _rows(done.sample)
    yield Text("Measured on labelled tickets that training did not see:\n")
    yield from evaluation_tables(done.training.test)


def demo_lines(done: DemoReport) -> Iterator[str]:
    """List what was counted, where the files are, and what to try next.

    These lines must not be wrapped, so that the commands can be copied.
    """
    for line in (*_counts(done), "", *_places(done), "", *_next_commands(done)):
        yield printable(line)


def _rows(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False, width=_WIDTH)
    table.add_column("text", no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column("predicted_label", no_wrap=True)
    table.add_column("confidence", no_wrap=True, justify="right")
    table.add_column("status", no_wrap=True)
    for row in rows:
        text, confidence = row["text"], row["confidence"]
        table.add_row(
            # In quotes, so that null, empty and blank look different.
            Text("null" if text is None else repr(text)),
            Text(row["predicted_label"] or "null"),
            "null" if confidence is None else f"{confidence:.3f}",
            row["status"],
        )
    return table


def _counts(done: DemoReport) -> list[str]:
    scoring = done.scoring
    statuses = ", ".join(f"{name} {count:,}" for name, count in scoring.statuses.items())
    return [
        f"{scoring.rows_out:,} rows scored in {scoring.seconds:.1f} s:",
        f"  {statuses}",
        f"The whole demo took {done.seconds:.0f} s.",
    ]


def _places(done: DemoReport) -> list[str]:
    files, learned = done.files, sum(done.training.rows.values())
    return [
        f"{files.labelled}: {learned:,} tickets with labels",
        f"{files.unlabelled}: {done.scoring.rows_in:,} tickets without",
        f"{files.model}: the model trained on the first",
        f"{files.scored}: the second with its labels and confidences",
    ]


def _next_commands(done: DemoReport) -> list[str]:
    model, scored, unlabelled = (
        shlex.quote(os.fspath(path))
        for path in (done.files.model, done.files.scored, done.files.unlabelled)
    )
    name = _command()
    score = f"{name} score {unlabelled} out.parquet \\\n    --model {model} --min-confidence 0.9"
    return [
        "Try next:",
        f"  {name} inspect {model}",
        f"  {name} inspect {scored}",
        *f"  {score}".splitlines(),
    ]


def _command() -> str:
    """What starts textbatch: its path, if the shell does not find it by its name."""
    called = Path(sys.argv[0])
    known = shutil.which("textbatch") or called.name != "textbatch"
    return "textbatch" if known else shlex.quote(os.fspath(called))
