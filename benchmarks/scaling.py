"""`python -m benchmarks.scaling`: time per row and memory as the rows grow."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import data, models, table
from benchmarks.commands import textbatch
from benchmarks.measure import log
from textbatch.model.bundle.bundle import load_bundle


def main() -> None:
    """Score ever larger files, each in a process of its own."""
    options = _options()
    lines = []
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = options.model or models.trained(folder)
        words = load_bundle(model).classifier.vocabulary.words()
        for factor in options.factors:
            rows = options.rows * factor
            log(f"{rows:,} rows")
            source = folder / "texts.parquet"
            data.write_texts(options.dataset, source, rows, words)
            lines.append((rows, *score(source, model, folder)))
    print(table.markdown(["rows", "seconds", "µs per row", "peak MiB"], list(map(_cells, lines))))
    print(f"\nWhole processes; µs per row without start-up. {table.caption()}")


def score(source: Path, model: Path, folder: Path) -> tuple[float, float, float]:
    """Seconds of the whole process, seconds per row once it has started, peak memory in MiB."""
    report = folder / "report.json"
    arguments = ("--model", model, "--text-column", "text", "--overwrite", "--report", report)
    seconds, peak = textbatch("score", source, folder / "scored.parquet", *arguments)
    return seconds, 1 / json.loads(report.read_text("utf-8"))["rows_per_second"], peak


def _cells(line: tuple[int, float, float, float]) -> list[str]:
    rows, seconds, per_row, peak = line
    return [f"{rows:,}", f"{seconds:,.1f}", f"{per_row * 1e6:,.1f}", f"{peak:,.0f}"]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000, help="rows × 1 [%(default)s]")
    parser.add_argument("--factors", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--dataset", choices=data.available(), default=data.SYNTHETIC)
    parser.add_argument("--model", type=Path, help="bundle to measure with [trains one]")
    return parser.parse_args()


if __name__ == "__main__":
    main()
