"""Records of outputs, as tests need them."""

from __future__ import annotations

from typing import Any

from textbatch.data.output.records import InputRecord, PartRecord, Success
from textbatch.types import CONFIDENCE_BINS

#: Counts that add up.
COUNTS: dict[str, Any] = {
    "rows_in": 5,
    "rows_out": 4,
    "rows_quarantined": 1,
    "statuses": {"ok": 2, "truncated": 1, "empty_text": 1},
    "labels": {"billing": 3, "account": 0},
}
SURENESS: dict[str, Any] = {
    "mean_confidence": 0.75,
    "confidence_histogram": [0] * (CONFIDENCE_BINS - 1) + [3],
}


def part_record(part: str = "a.parquet", **changes: Any) -> PartRecord:
    fields = {
        "state": "5" * 32,
        "input": InputRecord(name="a.csv", size=10, version="1"),
        "job": "a" * 64,
        "run_id": "b" * 16,
        "seal": "c" * 64,
        "fingerprint": "9" * 64,
        **COUNTS,
        **SURENESS,
        **changes,
    }
    return PartRecord(part=part, **fields)


def success_record(**changes: Any) -> Success:
    fields = {
        "textbatch": "0.1.0",
        "run_id": "b" * 16,
        "finished": "2026-01-01T00:00:00+00:00",
        "fingerprint": "d" * 64,
        "job": "a" * 64,
        "inputs": "e" * 64,
        "parts": 1,
        "manifest": "f" * 64,
        **COUNTS,
        **changes,
    }
    return Success(**fields)
