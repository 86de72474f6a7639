"""`python -m benchmarks.few_labels`: what unlabelled texts are worth where labels are few.

A fifth of a training file is kept aside to measure on, some of the rest keep their labels, and the
others lose theirs. No test file is read.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq

from benchmarks import table
from benchmarks.commands import textbatch
from benchmarks.data import needed_folder
from benchmarks.measure import log

DATASETS = ("agnews-4600", "tweeteval-emotion", "banking77", "r8")
VARIANTS = {
    "labels alone": (),
    "and the other texts": ("--unlabelled", "others.parquet"),
    "and self-training": ("--unlabelled", "others.parquet", "--self-train"),
}
_HELD_OUT = 0.2
#: Of each label; a rarer one is left out.
_LEAST = 5


def main() -> None:
    """Train each variant on each data set and seed; a line for each variant."""
    options = _options()
    folder = needed_folder()
    rows = []
    for dataset in options.datasets:
        runs: dict[str, list[list[float]]] = {variant: [] for variant in options.variants}
        for seed in options.seeds:
            with TemporaryDirectory() as temporary:
                place = Path(temporary)
                split(folder / f"{dataset}-train.parquet", place, options.labels, seed)
                for variant in options.variants:
                    log(f"{dataset}, seed {seed}: {variant}")
                    runs[variant].append(measured(place, variant, seed))
        for variant, found in runs.items():
            cells = [f"{mean(column):.4f}" for column in zip(*found, strict=True)]
            rows.append([dataset, variant, *cells])
    print(table.markdown(["data", "trained on", "network alone", "accuracy", "macro F1"], rows))
    seeds = ", ".join(map(str, options.seeds))
    print(f"\n{options.labels:,} labelled rows, seeds {seeds}. {table.caption()}")


def split(training: Path, place: Path, labels: int, seed: int) -> None:
    """Write `labelled.parquet`, `others.parquet` and `held-out.parquet`."""
    rows = pq.read_table(training, columns=["text", "label"])
    random = np.random.default_rng(seed)
    order = random.permutation(rows.num_rows)
    held_out, rest = np.split(order, [int(_HELD_OUT * len(order))])
    names = np.array(rows["label"].to_pylist())
    # Some of each label first, then whatever comes.
    some = [rest[names[rest] == name][:_LEAST] for name in np.unique(names[rest])]
    first = np.concatenate([place for place in some if len(place) == _LEAST])
    more = np.setdiff1d(rest, np.concatenate(some), assume_unique=True)
    kept = np.concatenate([first, random.permutation(more)[: max(0, labels - len(first))]])
    kept = kept[np.isin(names[kept], names[first])]
    others = np.setdiff1d(rest, kept, assume_unique=True)
    pq.write_table(rows.take(kept), place / "labelled.parquet")
    pq.write_table(rows.take(others).select(["text"]), place / "others.parquet")
    pq.write_table(rows.take(held_out), place / "held-out.parquet")


def measured(place: Path, variant: str, seed: int) -> list[float]:
    """Train in a process of its own; the network's accuracy, the model's, its macro F1."""
    report = place / "report.json"
    flags: Sequence[str | Path] = [
        place / flag if flag.endswith(".parquet") else flag for flag in VARIANTS[variant]
    ]
    textbatch(
        *("train", place / "labelled.parquet", "--test", place / "held-out.parquet"),
        *("--seed", seed, "--report", report, "--model", place / "model", "--overwrite", *flags),
    )
    found = json.loads(report.read_text("utf-8"))
    alone = {one["name"]: one["accuracy"] for one in found["contenders"]}["network alone"]
    metrics = found["test"]["metrics"]
    figures = [alone, metrics["accuracy"], metrics["macro_f1"]]
    log(f"{', '.join(f'{figure:.4f}' for figure in figures)}; {found['self_training']}")
    return figures


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.few_labels", description=__doc__)
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=list(DATASETS))
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--labels", type=int, default=1000)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    return parser.parse_args()


if __name__ == "__main__":
    main()
