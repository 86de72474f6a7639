"""The demo: make tickets, train on some, score the others."""

from __future__ import annotations

import os
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from textbatch.cli.demo.tickets import labelled_tickets, unlabelled_texts
from textbatch.data.choices import CHUNK_ROWS
from textbatch.data.output.parquet_file import ParquetOutput
from textbatch.data.readers.parquet import ParquetSource
from textbatch.data.storage.file_io import new_input, new_output
from textbatch.errors import OutputError, storage_errors
from textbatch.model.bundle.directory import check_replaceable
from textbatch.report.files import SCHEMA_VERSION
from textbatch.report.listener import SILENT, Listener
from textbatch.report.scoring import RunReport
from textbatch.report.training import TrainReport
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score
from textbatch.training.config.train import TrainConfig
from textbatch.training.train import train

LABELLED_ROWS, UNLABELLED_ROWS = 4_600, 20_000

_SHOWN_ROWS = 5
_SHOWN_COLUMNS = ("text", "predicted_label", "confidence", "status")
_FIRST_CREATED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFiles:
    """What the demo's folder holds.

    Attributes:
        labelled: Tickets with `id`, `text`, `label`.
        unlabelled: Tickets with `id`, `text`, `created`.
        model: The bundle trained on the labelled ones.
        scored: The unlabelled ones with their predictions.
    """

    labelled: Path
    unlabelled: Path
    model: Path
    scored: Path

    @classmethod
    def within(cls, folder: Path) -> DemoFiles:
        """Name the files in a folder."""
        return cls(
            labelled=folder / "tickets-labelled.parquet",
            unlabelled=folder / "tickets-unlabelled.parquet",
            model=folder / "model",
            scored=folder / "scored.parquet",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """What the demo did.

    Attributes:
        files: The files that it made.
        training: The report of `train`.
        scoring: The report of `score`.
        sample: The first scored rows, and the first row of each status that they lack.
        seconds: Wall time, in seconds.
    """

    files: DemoFiles
    training: TrainReport
    scoring: RunReport
    sample: list[dict[str, Any]]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "files": {name: os.fspath(getattr(self.files, name)) for name in DemoFiles.__slots__},
            "training": self.training.to_dict(),
            "scoring": self.scoring.to_dict(),
            "sample": self.sample,
            "seconds": self.seconds,
        }


def run_demo(
    folder: Path,
    *,
    seed: int = 0,
    overwrite: bool = False,
    labelled_rows: int = LABELLED_ROWS,
    unlabelled_rows: int = UNLABELLED_ROWS,
    listener: Listener = SILENT,
) -> DemoReport:
    """Write made-up tickets into a folder, train on the labelled ones, score the others.

    Args:
        folder: The folder. It is made if it does not exist.
        seed: Seed of the tickets and of the training.
        overwrite: Whether the folder may hold files. Only the files of the demo are replaced.
        labelled_rows: Number of tickets to train on.
        unlabelled_rows: Number of tickets to score.
        listener: Hears messages and steps.

    Raises:
        UsageError: The seed is out of range.
        OutputError: The folder holds files, or something else is where a file of the demo goes.
        TextbatchError: Writing, training or scoring failed.
    """
    started = time.perf_counter()
    files = DemoFiles.within(folder)
    to_train = TrainConfig(
        inputs=(files.labelled,), model=files.model, seed=seed, if_exists="replace", quick=True
    )
    to_score = ScoreConfig(
        inputs=(files.unlabelled,),
        output=files.scored,
        model=files.model,
        if_exists="replace",
    )
    _prepare(folder, files, overwrite=overwrite)
    listener.log(f"writing {labelled_rows:,} labelled and {unlabelled_rows:,} unlabelled tickets")
    _write(files.labelled, _labelled_table(labelled_rows, seed))
    _write(files.unlabelled, _unlabelled_table(unlabelled_rows, seed))
    listener.log("training, as `textbatch train --quick` does")
    training = train(to_train, listener=listener)
    listener.log("scoring, as `textbatch score` does")
    scoring = score(to_score, progress=listener)
    return DemoReport(
        files=files,
        training=training,
        scoring=scoring,
        sample=_sample(files.scored),
        seconds=round(time.perf_counter() - started, 1),
    )


def _prepare(folder: Path, files: DemoFiles, *, overwrite: bool) -> None:
    with storage_errors(folder, "cannot use"):
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder} is a file", "name another place with --folder")
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()) and not overwrite:
            raise OutputError(
                f"{folder} is not empty",
                "add --overwrite to replace the demo's own files, or name another --folder",
            )
    # Check all now: if one cannot be replaced, the others must stay as they are.
    for file in (files.labelled, files.unlabelled, files.scored):
        new_output(file).check()
    check_replaceable(files.model, overwrite=True)


def _labelled_table(rows: int, seed: int) -> pa.Table:
    tickets = labelled_tickets(rows, seed=seed)
    return pa.table(
        {
            "id": [f"L{row:06d}" for row in range(rows)],
            "text": pa.array([ticket.text for ticket in tickets], pa.string()),
            "label": pa.array([ticket.queue for ticket in tickets], pa.string()),
        }
    )


def _unlabelled_table(rows: int, seed: int) -> pa.Table:
    created = [_FIRST_CREATED + row * timedelta(minutes=7) for row in range(rows)]
    return pa.table(
        {
            "id": [f"U{row:06d}" for row in range(rows)],
            "text": pa.array(unlabelled_texts(rows, seed=seed), pa.string()),
            "created": pa.array(created, pa.timestamp("s", "UTC")),
        }
    )


def _write(path: Path, table: pa.Table) -> None:
    output = ParquetOutput(path, table.schema, run_id=uuid.uuid4().hex[:8], overwrite=True)
    try:
        for batch in table.to_batches():
            output.write(batch)
        output.commit({})
    except BaseException:
        output.abort()
        raise


def _sample(scored: Path) -> list[dict[str, Any]]:
    batches = ParquetSource(new_input(scored)).batches(_SHOWN_COLUMNS, CHUNK_ROWS)
    shown: list[dict[str, Any]] = []
    seen: set[str] = set()
    for row in (row for batch in batches for row in batch.to_pylist()):
        if len(shown) < _SHOWN_ROWS or row["status"] not in seen:
            shown.append(row)
            seen.add(row["status"])
    return shown
