"""`python -m benchmarks.accuracy`: what plain `textbatch train FILE` reaches on public data sets.

Each training file is given alone, and the model is measured on the test file by
`textbatch evaluate`, so no test row can have a part in anything. Beside it stand scikit-learn's
TF-IDF with a linear SVM, on words and pairs of words and on character n-grams, fitted to the same
rows. What stands after `--` is handed to every `textbatch train`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

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
        vectors: What `--vectors` names: a file of the data folder, or a package; None for neither.
    """

    training: str
    test: str
    vectors: str | None = None


def _task(name: str, vectors: str | None = None) -> Task:
    return Task(training=f"{name}-train", test=f"{name}-test", vectors=vectors)


TASKS = {
    "agnews-4600": Task(training="agnews-4600-train", test="agnews-3000-test"),
    "tweeteval-emotion": _task("tweeteval-emotion"),
    "tweeteval-emotion+": _task("tweeteval-emotion", vectors="wordllama"),
    "r8": _task("r8"),
    "banking77": _task("banking77"),
    "banking77+": _task("banking77", vectors="wordllama"),
    "germeval-de": _task("germeval-de"),
    "wisesight-th": _task("wisesight-th"),
}
#: Columns with a number each, of which the table shows the mean over the seeds.
FIGURES = ("accuracy", "macro F1", "ECE", "SVM, words", "SVM, characters", "seconds")


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
    command = " ".join(["`textbatch train FILE`", *options.training])
    print(
        f"\n{command}, measured on the test file by `textbatch evaluate`; means over seeds "
        f"{seeds}. +: with `--vectors wordllama`. {table.caption()}"
    )


def train(name: str, seed: int, folder: Path, more: Sequence[str] = ()) -> dict[str, float]:
    """Train and evaluate in processes of their own; the figures by their column."""
    log(f"{name}, seed {seed}")
    task = TASKS[name]
    training, test = (folder / f"{one}.parquet" for one in (task.training, task.test))
    own = folder / str(task.vectors)
    with TemporaryDirectory() as temporary:
        model, report = Path(temporary, "model"), Path(temporary, "report.json")
        seconds, _ = textbatch(
            *("train", training, "--seed", seed, "--model", model),
            *(("--vectors", own if own.exists() else task.vectors) if task.vectors else ()),
            *more,
        )
        textbatch("evaluate", test, "--model", model, "--report", report)
        found = json.loads(report.read_text("utf-8"))
    figures = {
        "accuracy": found["metrics"]["accuracy"],
        "macro F1": found["metrics"]["macro_f1"],
        "ECE": found["ece_after"],
        "SVM, words": _svm(training, test, analyzer="word", ngram_range=(1, 2)),
        "SVM, characters": _svm(training, test, analyzer="char", ngram_range=(1, 4)),
        "seconds": seconds,
    }
    log(", ".join(f"{figure} {_shown(figure, value)}" for figure, value in figures.items()))
    return figures


def _svm(training: Path, test: Path, **features: object) -> float:
    """Accuracy of TF-IDF with a linear SVM."""
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2, **features)
    model = make_pipeline(vectorizer, LinearSVC())
    rows, asked = (pq.read_table(one, columns=["text", "label"]) for one in (training, test))
    model.fit(rows["text"].to_pylist(), rows["label"].to_pylist())
    return float(model.score(asked["text"].to_pylist(), asked["label"].to_pylist()))


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
