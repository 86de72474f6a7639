"""What was measured, as Markdown and as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from benchmarks.measure import Row

_PACKAGES = ("textbatch", "onnxruntime", "tensorflow", "keras", "torch", "numpy", "pyarrow")


def markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, its columns of numbers aligned to the right."""
    columns = zip(*rows, strict=True)
    rules = ["--:" if any(cell[:1].isdigit() for cell in column) else "---" for column in columns]
    return "\n".join(f"| {' | '.join(line)} |" for line in (headings, rules, *rows))


def speed_table(rows: Sequence[Row]) -> str:
    """The table of `benchmarks.speed`; ratios are of median runs."""
    headings = [
        "data", "engine", "covers", "rows/s", "lowest – highest", "textbatch is",
        "CPU s per million rows", "peak MiB", "answers",
    ]  # fmt: skip
    rates = {(row.dataset, row.engine): row.rate() for row in rows}
    return markdown(headings, [_cells(row, rates) for row in rows])


def _cells(row: Row, rates: dict[tuple[str, str], float]) -> list[str]:
    named = [row.dataset, row.title, row.covers]
    if not row.seconds:
        return [*named, "–", "–", "–", "–", "–", row.note]
    own = rates.get((row.dataset, "score"), 0.0)
    note = row.note
    if row.engine == "ceiling" and (bare := rates.get((row.dataset, "bare"))):
        note = f"textbatch's engine alone reaches {bare / row.rate():.2f} of it"
    return [
        *named,
        f"{row.rate():,.0f}",
        f"{row.rows / max(row.seconds):,.0f} – {row.rows / min(row.seconds):,.0f}",
        f"{own / row.rate():.2f} ×" if own else "–",
        f"{median(row.cpu_seconds) / row.rows * 1e6:,.0f}",
        f"{row.peak_mib:,.0f}",
        note or "not compared",
    ]


def record(rows: Sequence[Row]) -> dict:
    """Everything measured, and where, as plain JSON values."""
    return {
        "machine": machine(),
        "rows": [{**asdict(row), "rows_per_second": round(row.rate(), 1)} for row in rows],
    }


def machine() -> dict[str, str | int]:
    """What the numbers were measured on."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        **_versions(),
    }


def _versions() -> dict[str, str]:
    """Of the packages that are installed: a peer may have an environment of its own."""
    found = {}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def caption() -> str:
    """The machine on one line."""
    found = machine()
    packages = ", ".join(f"{package} {found[package]}" for package in _PACKAGES if package in found)
    return f"{found['date']}, {found['cores']} cores ({found['processor']}), {packages}."
