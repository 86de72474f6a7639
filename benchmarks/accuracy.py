"""`python -m benchmarks.accuracy`: what the default preset reaches on public data sets.

The test files are read for the figures in the table and for nothing else: early stopping, blending
and calibration go by the validation file, or by rows split off the training file. What stands after
`--` is handed to every `textbatch train`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from benchmarks import table
from benchmarks.commands import textbatch
from benchmarks.data import needed_folder
from benchmarks.measure import log


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is trained on what; names of files without their suffix.

    Attributes:
        training: Labelled rows.
        test: Labelled rows.
        validation: Labelled rows; None splits them off.
        unlabelled: Texts for the word vectors.
        vectors: Whether general word vectors are read as well.
    """

    training: str
    test: str
    validation: str | None = None
    unlabelled: tuple[str, ...] = ()
    vectors: bool = False


_EMOTION = {
    "training": "tweeteval-emotion-train",
    "validation": "tweeteval-emotion-val",
    "test": "tweeteval-emotion-test",
}
_TWEETS = ("tweeteval-emoji-train", "tweeteval-emoji-val", "tweeteval-emoji-test")
TASKS = {
    "agnews-4600": Task(training="agnews-4600-train", test="agnews-3000-test"),
    "tweeteval-emotion": Task(**_EMOTION),
    "tweeteval-emotion+": Task(**_EMOTION, unlabelled=_TWEETS, vectors=True),
    "r8": Task(training="r8-train", test="r8-test"),
    "banking77": Task(training="banking77-train", test="banking77-test"),
    "banking77+": Task(training="banking77-train", test="banking77-test", vectors=True),
}
#: Columns with a number each, of which the table shows the mean over the seeds.
FIGURES = (
    "accuracy", "macro F1", "ECE", "network alone", "linear SVM", "logistic", "seconds",
)  # fmt: skip


def main() -> None:
    """Train once per task and seed; a line for each task."""
    options = _options()
    folder = needed_folder()
    rows = []
    for name in options.datasets:
        runs = [train(name, seed, folder, options.training) for seed in options.seeds]
        means = {figure: mean(run[figure] for run in runs) for figure in FIGURES}
        rows.append([name, *(_shown(figure, means[figure]) for figure in FIGURES)])
    print(table.markdown(["data", *FIGURES], rows))
    seeds = ", ".join(map(str, options.seeds))
    recipe = " ".join(["Default preset", *options.training])
    print(
        f"\n{recipe}, means over seeds {seeds}; the last three are test accuracies on the same "
        "rows. +: word vectors of `vectors-100d.vec.gz` as well, and for emotion those of the "
        f"unlabelled emoji tweets. {table.caption()}"
    )


def train(name: str, seed: int, folder: Path, more: Sequence[str] = ()) -> dict[str, float]:
    """Train in a process of its own; the figures by their column."""
    log(f"{name}, seed {seed}")
    task = TASKS[name]

    def files(flag: str, *names: str | None) -> list[str | Path]:
        return [part for file in names if file for part in (flag, folder / f"{file}.parquet")]

    with TemporaryDirectory() as temporary:
        report = Path(temporary, "report.json")
        seconds, _ = textbatch(
            *("train", folder / f"{task.training}.parquet", "--seed", seed, "--report", report),
            *("--model", Path(temporary, "model")),
            *files("--test", task.test),
            *files("--validation", task.validation),
            *files("--unlabelled", *task.unlabelled),
            *(("--vectors", folder / "vectors-100d.vec.gz") if task.vectors else ()),
            *more,
        )
        found = json.loads(report.read_text("utf-8"))
    tested = found["test"]
    beside = {one["name"]: one["accuracy"] for one in found["contenders"]}
    figures = {
        "accuracy": tested["metrics"]["accuracy"],
        "macro F1": tested["metrics"]["macro_f1"],
        "ECE": tested["ece_after"],
        "network alone": beside["network alone"],
        "linear SVM": beside["TF-IDF + linear SVM"],
        "logistic": beside["TF-IDF + logistic regression"],
        "seconds": seconds,
    }
    log(", ".join(f"{figure} {_shown(figure, value)}" for figure, value in figures.items()))
    return figures


def _shown(figure: str, value: float) -> str:
    return f"{value:,.0f}" if figure == "seconds" else f"{value:.4f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--datasets", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("training", nargs="*", metavar="-- OPTION", help="options of `train`")
    return parser.parse_args()


if __name__ == "__main__":
    main()
