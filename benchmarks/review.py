"""What labels of chosen rows teach, beside labels of as many random rows.

    python -m benchmarks.review --data DIR

Whole models would take hours, so the model is logistic regression on word n-grams. It learns from
some rows, answers a pool of others, gets the labels of the rows that are chosen there, and is
measured on the test file. `choose` is the code of `textbatch review`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression

from benchmarks.linear_features import features_of
from textbatch.scoring.review.choose import choose

#: Training and test file; rows with a label at the beginning; rows that are chosen.
SETS = {
    "AG News": ("agnews-4600-train", "agnews-3000-test", 300, 200),
    "Banking77": ("banking77-train", "banking77-test", 600, 400),
}
POOL = 3_000


def main() -> None:
    """Print the accuracies, means over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    print("data set   rows before, more  before  random  least sure  review  gain (by seed)")
    for name, (training, test, first, budget) in SETS.items():
        rows = [pq.read_table(given.data / f"{file}.parquet") for file in (training, test)]
        found = [measured(*rows, first, budget, seed) for seed in range(given.seeds)]
        means = np.mean(found, axis=0)
        gains = " ".join(f"{one[3] - one[1]:+.4f}" for one in found)
        print(f"{name:10} {first:7} {budget:9} {means[0]:9.4f} {means[1]:7.4f} {means[2]:9.4f} "
              f"{means[3]:9.4f}  {means[3] - means[1]:+.4f} ({gains})", flush=True)  # fmt: skip


def measured(training, test, first, budget, seed):
    """Test accuracies: before, with random rows, with the least sure ones, with chosen ones."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(training))[: first + POOL]
    texts = np.array(training["text"].to_pylist(), object)[order]
    labels = np.array(training["label"].to_pylist(), object)[order]
    matrix, of_test = features_of(texts.tolist(), test["text"].to_pylist())
    true = np.array(test["label"].to_pylist(), object)

    def fitted(more):
        rows = np.concatenate([np.arange(first), first + np.asarray(more, np.int64)])
        return LogisticRegression(C=10, max_iter=60).fit(matrix[rows], labels[rows])

    def accuracy(more):
        return float((fitted(more).predict(of_test) == true).mean())

    before = fitted([])
    best = np.sort(before.predict_proba(matrix[first:]), axis=1)[:, -2:]
    doubts = 1 - (best[:, 1] - best[:, 0])
    sorted_ = np.argsort(-doubts, kind="stable")
    # As `review` does it: ten candidates for each chosen row, the least sure first.
    candidates = sorted_[: 10 * budget]
    picked = choose(doubts[candidates], texts[first:][candidates].tolist(), budget)
    return (
        float((before.predict(of_test) == true).mean()),
        accuracy(random.permutation(len(doubts))[:budget]),
        accuracy(sorted_[:budget]),
        accuracy(candidates[picked]),
    )


if __name__ == "__main__":
    main()
