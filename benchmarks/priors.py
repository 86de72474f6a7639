"""`python -m benchmarks.priors`: what `--adapt-priors` wins where the mix of labels is another one.

Jobs are drawn from the answers to a test file: with one label in 70 % of the rows, each label in
turn, and with the file's own mix. Without `--model`, logistic regression on the words of the
training file answers, with a fifth of its rows as held-out ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression

from benchmarks import table
from benchmarks.drift import answered
from benchmarks.linear_features import features_of
from benchmarks.measure import log
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.quality.calibration import fit_temperature, softmax
from textbatch.model.quality.priors import adapted_priors, ratios_of, reweighted
from textbatch.model.quality.reference import Reference, reference_of_rows
from textbatch.types import Float32Array, Int64Array

_MOST = 0.7


def main() -> None:
    """A line for the jobs of each label, and one for those without another mix."""
    options = _options()
    random = np.random.default_rng(options.seed)
    probabilities, true, labels, reference = _answers(options)
    own = np.bincount(true, minlength=len(labels)) / len(true)
    rows = []
    for name, shares in [*((label, _shares(place, len(labels))) for place, label in
                           enumerate(labels)), ("none", own)]:  # fmt: skip
        log(f"most rows of: {name}")
        found = []
        for _ in range(options.jobs):
            drawn = _drawn(true, shares, options.rows, random)
            priors = adapted_priors(probabilities[drawn], reference, labels)
            answers = probabilities[drawn]
            before = float((answers.argmax(axis=1) == true[drawn]).mean())
            if priors.adapted:
                answers = reweighted(answers, ratios_of(priors))
            now = float((answers.argmax(axis=1) == true[drawn]).mean())
            error = float(np.abs(np.array(list(priors.now.values())) - shares).sum()) / 2
            found.append((priors.adapted, before, now, error))
        adapted, before, now, error = np.mean(found, axis=0)
        worst = min(one[2] - one[1] for one in found)
        rows.append([name, f"{adapted:.1%}", f"{before:.4f}", f"{now:.4f}",
                     f"{now - before:+.4f}", f"{worst:+.4f}", f"{error:.3f}"])  # fmt: skip
    headings = ["most rows of", "adapted", "accuracy before", "after", "gain", "worst job"]
    print(table.markdown([*headings, "error of the mix"], rows))
    print(
        f"\n{options.jobs} jobs of {options.rows:,} rows for each line; "
        f"{reference.signs.rows:,} held-out rows. Seed {options.seed}. {table.caption()}"
    )


def _shares(place: int, labels: int) -> np.ndarray:
    shares = np.full(labels, (1 - _MOST) / max(1, labels - 1))
    shares[place] = _MOST
    return shares


def _drawn(
    true: Int64Array, shares: np.ndarray, rows: int, random: np.random.Generator
) -> Int64Array:
    """Rows with a mix of labels, with replacement."""
    wanted = random.multinomial(rows, shares / shares.sum())
    return np.concatenate(
        [random.choice(np.flatnonzero(true == label), size) for label, size in enumerate(wanted)]
    )


def _answers(
    options: argparse.Namespace,
) -> tuple[Float32Array, Int64Array, tuple[str, ...], Reference]:
    test = options.data / f"{options.test}.parquet"
    if options.model is not None:
        bundle = load_bundle(options.model)
        if bundle.reference is None or not bundle.reference.probability_sums:
            raise SystemExit(f"{options.model} was made before there was --adapt-priors")
        found = answered(bundle, test)
        known = found.true >= 0
        return found.probabilities[known], found.true[known], bundle.labels, bundle.reference
    training, tested = (pq.read_table(one) for one in
                        (options.data / f"{options.training}.parquet", test))  # fmt: skip
    matrix, of_test = features_of(training["text"].to_pylist(), tested["text"].to_pylist())
    given = np.array(training["label"].to_pylist(), object).astype(str)
    labels, true = np.unique(given, return_inverse=True)
    held = np.arange(len(true)) % 5 == 0
    # No vocabulary is learnt anew, so the held-out answers are a bit too good.
    model = LogisticRegression(C=10, max_iter=200).fit(matrix[~held], true[~held])
    names = tuple(labels.tolist())
    logits = [model.decision_function(one).astype(np.float32) for one in (matrix[held], of_test)]
    temperature = fit_temperature(logits[0], true[held]).temperature
    of_held, of_test_rows = (softmax(one, temperature) for one in logits)
    reference = reference_of_rows(of_held, true[held], names)
    places = {label: place for place, label in enumerate(names)}
    of_rows = np.array([places[str(one)] for one in tested["label"].to_pylist()])
    return of_test_rows, of_rows, names, reference


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--model", type=Path, help="a bundle; logistic regression without one")
    parser.add_argument("--training", default="agnews-4600-train")
    parser.add_argument("--test", default="agnews-3000-test")
    parser.add_argument("--jobs", type=int, default=200, help="jobs for each mix")
    parser.add_argument("--rows", type=int, default=3_000, help="rows of a job")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
