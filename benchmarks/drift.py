"""`python -m benchmarks.drift`: alarms without drift and with it, and estimates beside the truth.

Jobs without drift are drawn from the answers to a test file, with replacement, so that their labels
have the mix of the training rows. Jobs with drift are whole test files of other data sets.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import table
from benchmarks.data import needed_folder
from benchmarks.measure import log
from textbatch.data.output.signs import Signs
from textbatch.model.bundle.bundle import Bundle, load_bundle
from textbatch.model.predictor import open_bundle
from textbatch.model.quality.drift import drift_from
from textbatch.model.quality.estimated_accuracy import estimated_accuracy
from textbatch.model.quality.reference import AnswerSigns, characters_of, lengths_counted
from textbatch.types import Float32Array, Float64Array, Int64Array, has_evidence

#: The folder of a model, and its test file.
DATASETS = {
    "agnews": "agnews-3000-test",
    "banking77": "banking77-test",
    "r8": "r8-test",
    "tweets": "tweeteval-emotion-test",
}
_SIZES = (100, 5_000)


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The answers of a model to a file. Shapes: `(rows with evidence, ...)`.

    Attributes:
        probabilities: Calibrated ones.
        lengths: Characters of the texts.
        labels: The labels of the model.
        true: True label ids; -1 for other labels.
    """

    probabilities: Float32Array
    lengths: Int64Array
    labels: tuple[str, ...]
    true: Int64Array

    def signs(self, rows: Int64Array) -> Signs:
        """What a job with these rows tells."""
        found = self.probabilities[rows]
        answers = AnswerSigns(self.labels)
        answers.add(found, found.max(axis=1))
        return answers.signs(lengths_counted(self.lengths[rows]))


def main() -> None:
    """A line for each model."""
    options = _options()
    folder = needed_folder()
    random = np.random.default_rng(options.seed)
    rows = []
    for name in options.datasets:
        bundle = load_bundle(options.model or options.models / name)
        reference = bundle.compared_with
        log(f"{name}: its own test file")
        own = answered(bundle, folder / f"{DATASETS[name]}.parquet")
        every = np.arange(len(own.true))
        alarms = 0
        chances = as_in_training(own, bundle.profile.labels)
        for size in np.exp(random.uniform(*np.log(_SIZES), options.jobs)).astype(int):
            drawn = random.choice(len(every), size, p=chances)
            alarms += drift_from(reference, own.signs(drawn)).drifted
        seen = others = 0
        for other in DATASETS.keys() - {name}:
            log(f"{name}: the test file of {other}")
            foreign = answered(bundle, folder / f"{DATASETS[other]}.parquet")
            for _ in range(options.foreign):
                drawn = random.choice(len(foreign.true), _SIZES[0])
                seen += drift_from(reference, foreign.signs(drawn)).drifted
                others += 1
        right = estimated_accuracy(reference, own.signs(every))
        true = float((own.probabilities.argmax(axis=1) == own.true).mean())
        rows.append([
            name,
            f"{reference.signs.rows:,}",
            f"{alarms} of {options.jobs:,}",
            f"{seen} of {others:,}",
            f"{right.accuracy:.4f} ({right.low:.3f} – {right.high:.3f})",
            f"{true:.4f}",
            f"{right.accuracy - true:+.4f}",
        ])  # fmt: skip
    headings = ["model", "held-out rows", "alarms without drift", "with drift, of 100 rows"]
    print(table.markdown([*headings, "estimated accuracy", "true", "difference"], rows))
    print(f"\nSeed {options.seed}. {table.caption()}")


def as_in_training(found: Answered, counts: Mapping[str, int]) -> Float64Array:
    """Chances of rows with which their true labels have the mix of training. Shape `(rows,)`.

    Test files have another: that of Banking77 has 40 rows of each label. That is a drift.

    Args:
        found: The rows.
        counts: The training rows of each label.
    """
    wanted = np.array([counts.get(label, 0) for label in found.labels], np.float64)
    there = np.bincount(found.true[found.true >= 0], minlength=len(wanted))
    chances = np.where(found.true >= 0, (wanted / np.maximum(1, there))[found.true], 0)
    return np.asarray(chances / chances.sum())


def answered(bundle: Bundle, path: Path) -> Answered:
    """Answer the rows of a file.

    Args:
        bundle: The model.
        path: A file with texts and labels.
    """
    found = pq.read_table(path, columns=["text", "label"]).combine_chunks()
    texts = found.column("text").combine_chunks().cast(pa.large_string())
    places = {label: place for place, label in enumerate(bundle.labels)}
    true = np.array([places.get(str(one), -1) for one in found.column("label").to_pylist()])
    with open_bundle(bundle) as predictor:
        answers = predictor.predict(texts)
    evidence = has_evidence(answers.status)
    return Answered(
        probabilities=answers.probabilities[evidence],
        lengths=characters_of(texts.filter(pa.array(evidence))),
        labels=bundle.labels,
        true=true[evidence],
    )


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--models", type=Path, help="folder with a model for each data set")
    place.add_argument("--model", type=Path, help="one model; --datasets names its data set")
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=list(DATASETS))
    parser.add_argument("--jobs", type=int, default=1_000, help="jobs without drift")
    parser.add_argument("--foreign", type=int, default=100, help="jobs of each other data set")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    if given.model is not None and len(given.datasets) != 1:
        parser.error("--model is of one data set: name it with --datasets")
    return given


if __name__ == "__main__":
    main()
