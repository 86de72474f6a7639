"""`python -m benchmarks.tradeoff`: speed beside accuracy, of `score` and of simple models.

Each model is trained on the training file of a data set by its plain command or its defaults, and
labels the test file's rows: the accuracy is that of the test rows, the rate that of as many rows as
asked for.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import data, table
from benchmarks.engine import Answers, Engine, Job
from benchmarks.engines_keras import KerasPredict
from benchmarks.engines_simple import HashingSgd, TfidfSvm, TfidfSvmParallel
from benchmarks.engines_textbatch import Score, ScoreEarlyExit, ScoreFast, ScoreInt8
from benchmarks.measure import Row, measure
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.quality.calibration import ECE_BINS

#: Test and training files.
FILES = {
    "news": ("agnews-3000-test", "agnews-4600-train"),
    "r8": ("r8-test", "r8-train"),
    "tweets": ("tweeteval-emotion-test", "tweeteval-emotion-train"),
    "queries": ("banking77-test", "banking77-train"),
}


class KerasNetwork(KerasPredict):
    """Keras with the network alone: it has no linear model beside it, so its answers differ."""

    tolerance, agreement = float("inf"), 0.0


ENGINES: tuple[Engine, ...] = (
    Score(),
    ScoreEarlyExit(),
    ScoreInt8(),
    ScoreFast(),
    TfidfSvm(),
    TfidfSvmParallel(),
    HashingSgd(),
    KerasNetwork(32),
)


def main() -> None:
    """Measure and print."""
    options = _options()
    engines = [engine for engine in ENGINES if engine.key in ("score", *options.engines)]
    lines, rows = [], []
    with TemporaryDirectory() as temporary:
        for dataset in options.datasets:
            work = Path(temporary) / dataset
            work.mkdir()
            job, labels = prepare(dataset, options.rows, options.models, work)
            answers: dict[str, Answers] = {}
            found = measure(dataset, job, options.rows, engines, options.rounds, answers)
            rows += found
            lines += _lines(found, answers, labels)
    headings = ["data", "what labels", "rows/s", "times `score`", "accuracy", "ECE", "same label"]
    print(table.markdown(headings, lines))
    print(f"\n{options.rows:,} rows, medians of {options.rounds} rounds. {table.caption()}")
    if options.json:
        options.json.write_text(json.dumps(table.record(rows), indent=2), "utf-8")


def prepare(dataset: str, rows: int, models: Path, folder: Path) -> tuple[Job, np.ndarray]:
    """Train where no model is there yet, and write the rows.

    Returns:
        The job, and the true labels of its first rows as positions in the model's labels; -1 where
        the model has no such label.
    """
    test, training = (data.real(name) for name in FILES[dataset])
    model = models / dataset
    if not model.exists():
        models.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "textbatch", "train", training, "--model", model]
        subprocess.run([*map(str, command)], check=True, stdout=sys.stderr)
    known = pq.read_table(test)
    texts = known["text"].to_pylist()
    ids = [f"row-{row}" for row in range(rows)]
    pq.write_table(pa.table({"id": ids, "text": data.repeated(texts, rows)}), folder / "in.parquet")
    labels = list(load_bundle(model).labels)
    truth = [
        labels.index(label) if (label := str(one)) in labels else -1
        for one in known["label"].to_pylist()[:rows]
    ]
    job = Job(model=model, source=folder / "in.parquet", training=training, folder=folder)
    return job, np.array(truth)


def _lines(rows: Sequence[Row], answers: dict[str, Answers], truth: np.ndarray) -> list[list[str]]:
    own = rows[0].rate()
    reference = answers["score"].label_ids[: len(truth)]
    lines = []
    for row in rows:
        if not row.seconds:
            lines.append([row.dataset, row.title, "–", "–", "–", "–", row.note])
            continue
        label_ids = answers[row.engine].label_ids[: len(truth)]
        confidences = answers[row.engine].confidences[: len(truth)]
        error = calibration_error(confidences, label_ids == truth)
        lines.append([
            row.dataset,
            row.title,
            f"{row.rate():,.0f}",
            f"{row.rate() / own:.2f} ×",
            f"{(label_ids == truth).mean():.4f}",
            "–" if np.isnan(error) else f"{error:.4f}",
            f"{(label_ids == reference).mean():.2%}",
        ])  # fmt: skip
    return lines


def calibration_error(confidences: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error of the rows with a confidence; NaN without any."""
    there = ~np.isnan(confidences)
    if not there.any():
        return float("nan")
    confidences, right = confidences[there].astype(np.float64), right[there]
    bins = np.minimum((confidences * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = np.bincount(bins, weights=right - confidences, minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / len(bins))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.tradeoff", description=__doc__)
    keys = [engine.key for engine in ENGINES]
    parser.add_argument("--rows", type=int, default=20_000, help="rows per run [%(default)s]")
    parser.add_argument("--rounds", type=int, default=5, help="runs per engine [%(default)s]")
    parser.add_argument("--datasets", nargs="+", choices=FILES, default=list(FILES))
    parser.add_argument("--engines", nargs="+", choices=keys, default=keys)
    parser.add_argument(
        "--models", type=Path, default=Path("benchmark-models"),
        help="folder of the models, which are trained where they are missing [%(default)s]",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
