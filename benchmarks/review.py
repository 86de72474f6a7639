"""What labels of chosen rows teach, beside labels of as many random rows.

    python -m benchmarks.review --data DIR

Whole models would take hours, so the model is logistic regression on word n-grams. It learns from
some rows, answers a pool of others, gets the labels of the rows that are chosen there, and is
measured on the test file. `choose` is the code of `textbatch review`; rows that are also unlike
each other stand beside it.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.linear_features import features_of
from textbatch.scoring.review.choose import choose
from textbatch.types import Float32Array, Int64Array

#: Training and test file; rows with a label at the beginning; rows that are chosen.
SETS = {
    "AG News": ("agnews-4600-train", "agnews-3000-test", 300, 200),
    "Banking77": ("banking77-train", "banking77-test", 600, 400),
}
POOL = 3_000
#: Columns of the hashed words. Two words of a text rarely share one.
_COLUMNS = 1 << 10
#: Only the beginning of a longer text is compared.
_MOST_WORDS = 256
_WORD = re.compile(r"\w+")


def main() -> None:
    """Print the accuracies, means over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    print("data set   rows before, more  before  random    unlike  review  gain (by seed)")
    for name, (training, test, first, budget) in SETS.items():
        rows = [pq.read_table(given.data / f"{file}.parquet") for file in (training, test)]
        found = [measured(*rows, first, budget, seed) for seed in range(given.seeds)]
        means = np.mean(found, axis=0)
        gains = " ".join(f"{one[3] - one[1]:+.4f}" for one in found)
        print(f"{name:10} {first:7} {budget:9} {means[0]:9.4f} {means[1]:7.4f} {means[2]:9.4f} "
              f"{means[3]:9.4f}  {means[3] - means[1]:+.4f} ({gains})", flush=True)  # fmt: skip


def measured(training, test, first, budget, seed):
    """Test accuracies: before, with random rows, with unlike ones, with those of `review`."""
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
    given = doubts[candidates], texts[first:][candidates].tolist(), budget
    return (
        float((before.predict(of_test) == true).mean()),
        accuracy(random.permutation(len(doubts))[:budget]),
        accuracy(candidates[unlike_each_other(*given)]),
        accuracy(candidates[choose(*given)]),
    )


def unlike_each_other(doubts: NDArray[np.float64], texts: Sequence[str], budget: int) -> Int64Array:
    """Choose rows with the largest product of doubt and distance to those that are taken already.

    As in the core-set approach of Sener and Savarese 2018, on the words of the texts.

    Args:
        doubts: How unsure the model is of each row, 0 to 1. Shape `(rows,)`.
        texts: The texts.
        budget: How many rows to choose.
    """
    words = _words(texts)
    left = np.asarray(doubts, np.float64) + 1e-6
    nearest = np.zeros(len(texts), np.float32)
    chosen: list[int] = []
    for _ in range(min(budget, len(texts))):
        # The first of equals: they stand in the order of their doubt.
        best = int(np.argmax(left * (1 - nearest)))
        chosen.append(best)
        left[best] = -1.0
        np.maximum(nearest, np.minimum(words @ words[best], np.float32(0.999)), out=nearest)
        nearest[best] = 0.0
    return np.array(chosen, np.int64)


def _words(texts: Sequence[str]) -> Float32Array:
    """The words of each text, rare ones weighing more, as unit vectors. Shape `(rows, columns)`."""
    found = np.zeros((len(texts), _COLUMNS), np.float32)
    for row, text in enumerate(texts):
        for word in _WORD.findall(text.lower())[:_MOST_WORDS]:
            found[row, crc32(word.encode()) % _COLUMNS] += 1
    found = np.log1p(found)
    found *= np.log((1 + len(texts)) / (1 + (found > 0).sum(axis=0))).astype(np.float32) + 1
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(lengths, 1e-9), np.float32)


if __name__ == "__main__":
    main()
