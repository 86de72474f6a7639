"""`python -m benchmarks.accuracy`: what the default preset reaches on public data sets.

The test files are read for the figures in the table and for nothing else: early stopping and
calibration go by the validation file, or by rows split off the training file.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import table
from benchmarks.commands import textbatch
from benchmarks.data import data_folder
from benchmarks.measure import say

#: Training, validation and test file.
SPLITS = {
    "agnews-4600": ("agnews-4600-train", None, "agnews-3000-test"),
    "tweeteval-emotion": (
        "tweeteval-emotion-train",
        "tweeteval-emotion-val",
        "tweeteval-emotion-test",
    ),
    "r8": ("r8-train", None, "r8-test"),
    "banking77": ("banking77-train", None, "banking77-test"),
}
HEADINGS = [
    "data", "seed", "training rows", "test rows", "accuracy", "macro F1",
    "ECE before", "ECE after", "seconds",
]  # fmt: skip


def main() -> None:
    """Train once per data set and seed."""
    options = _options()
    folder = data_folder()
    if folder is None:
        raise SystemExit("no folder of data sets: set TEXTBATCH_DATA")
    rows = [
        [name, str(seed), *train(name, seed, folder)]
        for name in options.datasets
        for seed in options.seeds
    ]
    print(table.markdown(HEADINGS, rows))
    print(f"\nDefault preset, test files as published. {table.caption()}")


def train(name: str, seed: int, folder: Path) -> list[str]:
    """Train in a process of its own; the table's cells after name and seed."""
    say(f"{name}, seed {seed}")
    training, validation, test = (file and folder / f"{file}.parquet" for file in SPLITS[name])
    with TemporaryDirectory() as temporary:
        report = Path(temporary, "report.json")
        seconds, _ = textbatch(
            *("train", training, "--test", test, "--seed", seed, "--report", report),
            *("--model", Path(temporary, "model")),
            *(("--validation", validation) if validation else ()),
        )
        found = json.loads(report.read_text("utf-8"))
    tested = found["test"]
    return [
        f"{found['rows']['training']:,}",
        f"{tested['rows']:,}",
        f"{tested['metrics']['accuracy']:.4f}",
        f"{tested['metrics']['macro_f1']:.4f}",
        f"{tested['ece_before']:.4f}",
        f"{tested['ece_after']:.4f}",
        f"{seconds:.0f}",
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--datasets", nargs="+", choices=list(SPLITS), default=list(SPLITS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    return parser.parse_args()


if __name__ == "__main__":
    main()
