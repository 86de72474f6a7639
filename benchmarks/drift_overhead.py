"""`python -m benchmarks.drift_overhead`: what drift, estimate and their counting cost `score`.

Runs in turns, in one process: as it is, and with all that turned off by replaced functions.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import table
from benchmarks.data import needed_folder
from benchmarks.measure import log
from textbatch.data.output.signs import LENGTH_EDGES, UnknownTokens
from textbatch.model.quality.reference import AnswerSigns
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

#: Above this share of the time it costs too much.
_BAR = 0.02
_DATASET = "agnews-3000-test"


def main() -> None:
    """A line for each of the two, and the cost."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.parquet"
        _write(source, options.input or needed_folder() / f"{_DATASET}.parquet", options.rows)
        config = ScoreConfig.given({
            "inputs": source,
            "output": Path(folder) / "out.parquet",
            "model": options.model,
            "text_column": "text",
            "if_exists": "replace",
            "drift_history": Path(folder) / "nights.jsonl" if options.history else None,
        })  # fmt: skip
        seconds: dict[str, list[float]] = {"with": [], "without": []}
        for turn in range(options.rounds + 1):
            # The first turn warms up. Who is first changes, so that neither is always so.
            for kind in ("with", "without") if turn % 2 else ("without", "with"):
                took = _timed(config, off=kind == "without")
                log(f"turn {turn}: {kind} {options.rows / took:,.0f} rows/s")
                if turn:
                    seconds[kind].append(took)
    ratios = [one / other for one, other in zip(seconds["with"], seconds["without"], strict=True)]
    rates = [f"{options.rows / median(seconds[kind]):,.0f}" for kind in ("with", "without")]
    cost = median(ratios) - 1
    heads = ["rows", "with, rows/s", "without, rows/s", "cost (median of pairs)", "least to most"]
    spread = f"{min(ratios) - 1:+.1%} to {max(ratios) - 1:+.1%}"
    print(table.markdown(heads, [[f"{options.rows:,}", *rates, f"{cost:+.2%}", spread]]))
    print(f"\nThe bar is {_BAR:.0%}: {'kept' if cost <= _BAR else 'missed'}. {table.caption()}")


@contextmanager
def turned_off() -> Iterator[None]:
    """Neither counting for drift and estimate, nor drift or estimate."""
    lengths = np.zeros(len(LENGTH_EDGES), np.int64)
    nothing = np.zeros(0, np.int64)
    with (
        patch.object(AnswerSigns, "add", lambda *_: None),
        patch("textbatch.scoring.tally.lengths_counted", lambda _: lengths),
        patch("textbatch.scoring.tally.characters_of", lambda *_: nothing),
        patch("textbatch.model.predictor.unknown_tokens", lambda *_: UnknownTokens()),
        patch("textbatch.scoring.drift_gate.drift_from", lambda *_: None),
        patch("textbatch.scoring.model_reports.estimated_accuracy", lambda *_: None),
    ):
        yield


def _timed(config: ScoreConfig, *, off: bool) -> float:
    def run() -> float:
        began = time.perf_counter()
        score(config)
        return time.perf_counter() - began

    if not off:
        return run()
    with turned_off():
        return run()


def _write(path: Path, source: Path, rows: int) -> None:
    """Write so many rows, no two of the same text: equal ones are scored once."""
    texts = pq.read_table(source, columns=["text"]).column("text").to_pylist()
    made = [f"{texts[row % len(texts)]} {row}" for row in range(rows)]
    pq.write_table(pa.table({"text": pa.array(made, pa.large_string())}), path)


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7, help="turns that count")
    parser.add_argument("--input", type=Path, help="Parquet file with a column text")
    parser.add_argument("--history", action="store_true", help="with --drift-history too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
