"""Whether an output is still what `score` wrote: every byte, every page, every count."""

from __future__ import annotations

import json
import os
from typing import Any

from textbatch.data.choices import CHUNK_ROWS
from textbatch.data.output.any_folder import folder_at
from textbatch.data.output.seal import check_seal
from textbatch.data.readers.parquet import ParquetSource, footer_entries
from textbatch.data.storage.file_io import exists, is_folder, new_input
from textbatch.data.storage.files import FileState
from textbatch.data.storage.location import Location
from textbatch.errors import DataError, InputNotFoundError, redacted
from textbatch.model.bundle.fetch import load_model
from textbatch.model.layout import LAYOUT
from textbatch.report.terminal.pace import BYTES
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.scoring.folder.totals import Totals
from textbatch.scoring.inspect import count_values
from textbatch.types import Status

_REMEDY = "score the input again"
_STEP = "verifying"


def verify_output(
    path: Location, *, model: Location | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Recompute what an output says about itself.

    Args:
        path: A Parquet file that `score` wrote, or a folder of them, on this machine or in an
            object store, where each object is read twice.
        model: The bundle that it should be of; None asks for none.
        progress: Told about the bytes.

    Returns:
        Plain JSON values: what was found, all of it right.

    Raises:
        InputNotFoundError: There is no such file.
        DataError: A byte, a page's checksum, a count or the fingerprint is not as written.
        BundleError: The bundle is damaged.
        TryAgainError: The store does not answer.
    """
    if is_folder(path):
        return _verify_folder(path, model, progress)
    with step_of(progress, _state(path).size, step=_STEP, unit=BYTES) as step:
        return _verify_file(path, model, step)


def _verify_file(path: Location, model: Location | None, step: Progress) -> dict[str, Any]:
    # The file is read twice; each time half of its bytes count.
    halves = _Halves(step)
    before = _state(path)
    # First, so that nothing of a damaged file is parsed.
    seal = check_seal(path, on_bytes=halves.add)
    footer = {
        name.removeprefix("textbatch."): value
        for name, value in footer_entries(path).items()
        if name.startswith("textbatch.")
    }
    try:
        rows, rows_in = int(footer["rows"]), int(footer["rows_in"])
        statuses, labels = json.loads(footer["statuses"]), json.loads(footer["labels"])
        fingerprint, prefix = footer["fingerprint"], footer["prefix"]
    except (KeyError, ValueError) as error:
        raise DataError(f"{path} lacks entries in its footer", _REMEDY) from error
    found_statuses, found_labels = _count(path, prefix, labels, before.size, halves)
    if sum(found_statuses.values()) != rows or found_statuses != statuses:
        raise DataError(f"{path} holds other rows or statuses than its footer says", _REMEDY)
    if not _state(path).is_same(before):
        raise DataError(f"{path} was replaced while it was read", "run again")
    _check_model(path, model, fingerprint)
    return {
        "kind": "verification",
        "path": redacted(os.fspath(path)),
        "seal": seal,
        "rows": rows,
        "rows_quarantined": rows_in - rows,
        "fingerprint": fingerprint,
        "run_id": footer.get("run_id"),
        "statuses": found_statuses,
        "labels": found_labels,
    }


def _state(path: Location) -> FileState:
    """What tells a file from one that takes its place."""
    try:
        return new_input(path).look()
    except InputNotFoundError as error:
        raise InputNotFoundError(f"there is no file {path}", "check the path") from error


def _verify_folder(
    path: Location, model: Location | None, progress: Progress | None
) -> dict[str, Any]:
    """Check that a folder holds the parts of its manifest, each as it was written, and no other."""
    folder = folder_at(path)
    success = folder.success()
    if success is None and exists(path / LAYOUT.manifest):
        raise DataError(
            f"{path} is a model, not an output", "name what score wrote; inspect checks models"
        )
    if success is None:
        raise DataError(f"{path} has no _SUCCESS: its job has not finished", "run the job again")
    folder.check_manifest(success)
    parts: set[str] = set()
    totals = Totals()
    there = [
        new_input(path / entry["part"]) for entry in folder.entries() if folder.has(entry["part"])
    ]
    # Objects are not looked at twice for the sake of a bar.
    local = not any(part.costs_requests for part in there)
    size = sum(part.look().size for part in there) if local else None
    with step_of(progress, size, step=_STEP, unit=BYTES) as step:
        for entry in folder.entries():
            if not folder.has(entry["part"]):
                raise DataError(f"{path} has lost its part {entry['part']}", _REMEDY)
            found = _verify_file(path / entry["part"], None, step)
            if found["seal"] != entry["seal"] or found["fingerprint"] != success["fingerprint"]:
                raise DataError(f"{path / entry['part']} is another file than was written", _REMEDY)
            parts.add(entry["part"])
            totals.add(entry)
    if other := next(folder.others(parts), None):
        raise DataError(f"{path} holds {other}, which is none of its parts", "move it away")
    _check_model(path, model, success["fingerprint"])
    counts = totals.to_dict()
    return {
        "kind": "verification",
        "path": redacted(os.fspath(path)),
        "parts": len(parts),
        "rows": counts["rows_out"],
        "rows_quarantined": counts["rows_quarantined"],
        "fingerprint": success["fingerprint"],
        "run_id": success["run_id"],
        "statuses": counts["statuses"],
        "labels": counts["labels"],
    }


def _check_model(path: Location, model: Location | None, fingerprint: str) -> None:
    if model and (wanted := load_model(model).fingerprint) != fingerprint:
        raise DataError(f"{path} was made by model {fingerprint}, not {wanted}", _REMEDY)


class _Halves:
    """Tells every second byte, and so the size of a file that is read twice."""

    def __init__(self, step: Progress) -> None:
        self._step, self._added, self._told = step, 0, 0

    def add(self, read: int) -> None:
        """So many bytes more are read."""
        self._added += read
        self._step.advance(self._added // 2 - self._told)
        self._told = self._added // 2


def _count(
    path: Location, prefix: str, labels: list[str], size: int, halves: _Halves
) -> tuple[dict[str, int], dict[str, int]]:
    """Read every page of every column, and count."""
    source = ParquetSource(new_input(path))
    per_row = size / max(1, source.num_rows or 0)
    statuses = dict.fromkeys(Status.names(), 0)
    by_label = dict.fromkeys(labels, 0)
    for batch in source.batches(source.schema.names, CHUNK_ROWS):
        count_values(batch.column(f"{prefix}status"), statuses)
        count_values(batch.column(f"{prefix}predicted_label"), by_label)
        halves.add(round(len(batch) * per_row))
    return {name: count for name, count in statuses.items() if count}, by_label
