"""Compare two ways to make label sets: their coverage, their size, and who is covered.

    python -m benchmarks.label_sets --data DIR

The model is a linear one on word n-grams of 2,000 rows, so that it takes a minute. For each data
set and each of five seeds, a tenth of the training rows calibrates it, as in `train`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from benchmarks.linear_features import features_of

SETS = {
    "AG News": ("agnews-4600-train", "agnews-3000-test"),
    "Banking77": ("banking77-train", "banking77-test"),
    "emotion": ("tweeteval-emotion-train", "tweeteval-emotion-test"),
}
MOST_ROWS = 2_000


def main() -> None:
    """Print one line for each data set and method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--coverage", type=float, default=0.95)
    given = parser.parse_args()
    print("data set    method  coverage  mean size  worst label  sets of one right")
    for name, files in SETS.items():
        rows = [pq.read_table(given.data / f"{file}.parquet") for file in files]
        found: dict[str, list[tuple[float, ...]]] = {"LAC": [], "APS": []}
        for seed in range(5):
            probabilities, true, calibration, calibrating = predicted(*rows, seed)
            for method, scores_of in (("LAC", lac), ("APS", aps)):
                scores = scores_of(calibration)[np.arange(len(calibrating)), calibrating]
                rank = int(np.ceil((len(scores) + 1) * given.coverage))
                limit = np.sort(scores)[min(rank, len(scores)) - 1]
                sets = scores_of(probabilities) <= limit
                sets[np.arange(len(true)), probabilities.argmax(axis=1)] = True
                found[method].append(measures(sets, true))
        for method, told in found.items():
            mean = np.mean(told, axis=0)
            print(f"{name:11} {method:6} {mean[0]:9.3f} {mean[1]:10.2f} {mean[2]:12.3f} "
                  f"{mean[3]:18.3f}")  # fmt: skip


def predicted(training, test, seed):
    """Calibrated probabilities of test rows and of held-out rows, each with the true labels."""
    texts, labels = training["text"].to_pylist(), training["label"].to_pylist()
    names, ids = np.unique(labels, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(texts))[:MOST_ROWS]
    fit, hold = train_test_split(order, test_size=0.1, random_state=seed)
    matrix, of_test = features_of([texts[row] for row in order], test["text"].to_pylist())
    place = {row: at for at, row in enumerate(order.tolist())}
    at_fit, at_hold = ([place[row] for row in rows.tolist()] for rows in (fit, hold))
    model = LogisticRegression(C=10, max_iter=60).fit(matrix[at_fit], ids[fit])
    known = np.isin(names, names[model.classes_])
    assert known.all()
    true = np.searchsorted(names, test["label"].to_pylist())
    return model.predict_proba(of_test), true, model.predict_proba(matrix[at_hold]), ids[hold]


def lac(probabilities):
    """Scores of Sadinle, Lei and Wasserman 2019: one less the probability of the label."""
    return 1 - probabilities


def aps(probabilities):
    """Scores of Romano, Sesia and Candes 2020: the mass of all labels down to this one."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    mass = np.cumsum(np.take_along_axis(probabilities, order, axis=1), axis=1)
    scores = np.empty_like(mass)
    np.put_along_axis(scores, order, mass, axis=1)
    return scores


def measures(sets, true):
    """Coverage, mean size, the coverage of the worst label, and that of sets of one label."""
    right = sets[np.arange(len(true)), true]
    sizes = sets.sum(axis=1)
    worst = min(right[true == label].mean() for label in np.unique(true))
    return right.mean(), sizes.mean(), worst, right[sizes == 1].mean()


if __name__ == "__main__":
    main()
