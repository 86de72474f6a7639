"""`python -m benchmarks.explain MODEL FILE...`: are the words of `--explain` those that decide?

From each text the K words that `--explain K` names are taken out, wherever they stand, and from the
same text other K words at random, which may have some in common. The words are right where the
label's probability falls more without them (comprehensiveness, DeYoung et al. 2020). Texts with no
more than K words are left out.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import table
from textbatch.data.output.explanations import explanations
from textbatch.model.beside import Beside
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.predictor import Predictor, open_bundle
from textbatch.model.predictors import Predictors
from textbatch.types import Float32Array, has_evidence

ROWS = 500


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser("python -m benchmarks.explain", description=__doc__)
    parser.add_argument("model", type=Path, help="a trained model")
    parser.add_argument("files", type=Path, nargs="+", help="Parquet files with texts")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--tokens", type=int, nargs="+", default=[1, 3, 5])
    parser.add_argument("--rows", type=int, default=ROWS)
    options = parser.parse_args()
    lines = []
    with open_bundle(load_bundle(options.model)) as predictor:
        for file in options.files:
            texts = pq.read_table(file)[options.text_column].combine_chunks()[: options.rows]
            for most in options.tokens:
                lines.append((file.stem, *measured(predictor, texts, most)))
    print(table.markdown(("texts", "K", "rows", "K words fall more", "fall, K words",
                      "fall, random", "rows/s"), lines))  # fmt: skip


def measured(predictor: Predictor, texts: pa.Array, most: int) -> tuple[str, ...]:
    """Measure one number of words on some texts.

    Args:
        predictor: Of the model.
        texts: Shape `(rows,)`.
        most: How many words.
    """
    started = time.perf_counter()
    found = Predictors([predictor], Beside(explain=most)).start(texts).result()
    rate = len(texts) / (time.perf_counter() - started)
    evidence = has_evidence(found.status)
    assert found.extras is not None
    named = explanations(predictor.tokenizer, texts, evidence, found.extras).to_pylist()
    split = predictor.tokenizer.split(texts)
    words = [
        split.tokens[start:stop].to_pylist()[: predictor.tokenizer.max_sequence_length]
        for start, stop in zip(split.offsets[:-1], split.offsets[1:], strict=True)
    ]
    random = np.random.default_rng(0)
    rows = [row for row in np.flatnonzero(evidence) if len(set(words[row])) > most]
    without = [
        [one for one in words[row] if one not in {entry["token"] for entry in named[row]}]
        for row in rows
    ]
    drawn = [_drawn(random, words[row], {one["token"] for one in named[row]}) for row in rows]
    beside = [
        [one for one in words[row] if one not in out] for row, out in zip(rows, drawn, strict=True)
    ]
    labels = found.probabilities[rows].argmax(axis=1)
    before = found.probabilities[rows, labels]
    ours, theirs = (_probabilities(predictor, left, labels) for left in (without, beside))
    return (
        str(most),
        f"{len(rows):,}",
        f"{(ours < theirs).mean():.1%}",
        f"{(before - ours).mean():.3f}",
        f"{(before - theirs).mean():.3f}",
        f"{rate:,.0f}",
    )


def _drawn(random: np.random.Generator, words: list[str], named: set[str]) -> set[str]:
    """As many words of a text, not all of them the named ones."""
    distinct = sorted(set(words))
    while (found := set(random.permutation(distinct)[: len(named)].tolist())) == named:
        pass
    return found


def _probabilities(
    predictor: Predictor, words: list[list[str]], labels: np.ndarray
) -> Float32Array:
    """The probability of a label in texts of words; 0 where no known word is left."""
    found = predictor.predict(pa.array([" ".join(one) for one in words], pa.large_string()))
    told: Float32Array = np.nan_to_num(found.probabilities)[np.arange(len(labels)), labels]
    return told


if __name__ == "__main__":
    main()
