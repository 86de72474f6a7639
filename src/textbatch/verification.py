"""Whether an output is still what `score` wrote: every byte, every page, every count."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from textbatch.batch import Status
from textbatch.config import CHUNK_ROWS
from textbatch.data.parquet import ParquetSource, footer_entries
from textbatch.data.seal import check_seal
from textbatch.errors import DataError, InputNotFoundError
from textbatch.inspection import count_values
from textbatch.model.bundle import load_bundle

_REMEDY = "score the input again"


def verify_output(path: Path, *, model: Path | None = None) -> dict[str, Any]:
    """Recompute what an output says about itself.

    Args:
        path: A Parquet file that `score` wrote.
        model: The bundle that it should be of; None asks for none.

    Returns:
        Plain JSON values: what was found, all of it right.

    Raises:
        InputNotFoundError: There is no such file.
        DataError: A byte, a page's checksum, a count or the fingerprint is not as written.
        BundleError: The bundle is damaged.
    """
    if not path.is_file():
        raise InputNotFoundError(f"there is no file {path}", "check the path")
    # First, so that nothing of a damaged file is parsed.
    seal = check_seal(path)
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
    found_statuses, found_labels = _count(path, prefix, labels)
    if sum(found_statuses.values()) != rows or found_statuses != statuses:
        raise DataError(f"{path} holds other rows or statuses than its footer says", _REMEDY)
    if model and (wanted := load_bundle(model).fingerprint) != fingerprint:
        raise DataError(f"{path} was made by model {fingerprint}, not {wanted}", _REMEDY)
    return {
        "kind": "verification",
        "path": os.fspath(path),
        "seal": seal,
        "rows": rows,
        "rows_quarantined": rows_in - rows,
        "fingerprint": fingerprint,
        "run_id": footer.get("run_id"),
        "statuses": found_statuses,
        "labels": found_labels,
    }


def _count(path: Path, prefix: str, labels: list[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Read every page of every column, and count."""
    source = ParquetSource(path)
    statuses = dict.fromkeys(Status.names(), 0)
    by_label = dict.fromkeys(labels, 0)
    for batch in source.batches(source.schema.names, CHUNK_ROWS):
        count_values(batch.column(f"{prefix}status"), statuses)
        count_values(batch.column(f"{prefix}predicted_label"), by_label)
    return {name: count for name, count in statuses.items() if count}, by_label
