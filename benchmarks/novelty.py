"""`python -m benchmarks.novelty FOLDER`: does `--novelty` find texts that no label is for?

A model is trained on Banking77 without a tenth of its labels (drawn at random), and one on news.
Each is asked about test rows of its labels, about the texts of the labels that were left out, and
about texts of other kinds: tweets, and the texts of the other model. AUROC is the chance that a
text of another kind has a smaller novelty than an ordinary one. What it costs is told in seconds of
CPU. Models that are in FOLDER are taken as they are; the first run trains them there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.stats import rankdata

from benchmarks import table
from benchmarks.data import data_folder
from textbatch.model.beside import NOTHING, Beside
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.predictor import Predictor, open_bundle
from textbatch.model.predictors import Predictors
from textbatch.types import Float32Array

#: Labels that are left out, and the seed that draws them.
LEFT_OUT, SEED = 8, 0
#: Rows whose time is measured, and how often; the fastest of both kinds counts.
RATE_ROWS, TIMES = 3000, 7


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser("python -m benchmarks.novelty", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the models are, or are to be")
    parser.add_argument("--seed", type=int, default=SEED, help="draws the labels to leave out")
    options = parser.parse_args()
    found = data_folder()
    if found is None:
        parser.error("TEXTBATCH_DATA names no folder with the data sets")
    options.folder.mkdir(parents=True, exist_ok=True)
    train, test = (pq.read_table(found / f"banking77-{part}.parquet") for part in ("train", "test"))
    labels = np.unique(train["label"].to_pylist())
    out = pa.array(np.random.default_rng(options.seed).choice(labels, LEFT_OUT, replace=False))
    known, left = (_apart(train, out), _apart(test, out))
    banking = _trained(options.folder / f"banking-{options.seed}", known[0])
    news = _trained(options.folder / "news", pq.read_table(found / "agnews-4600-train.parquet"))
    tweets = _texts(found / "tweeteval-emotion-test.parquet")
    articles = _texts(found / "agnews-3000-test.parquet")
    questions = left[0]["text"].combine_chunks()
    others = pa.concat_arrays([*known[1]["text"].chunks, *left[1]["text"].chunks])
    lines = [
        *_lines("Banking77", banking, questions,
                {"labels left out": others, "tweets": tweets, "news": articles}),
        *_lines("news", news, articles, {"tweets": tweets, "questions to a bank": questions}),
    ]  # fmt: skip
    print(table.markdown(("model", "texts", "rows", "AUROC", "below 0.01", "below 0.05"), lines))
    for name, model in (("Banking77", banking), ("news", news)):
        print(f"{name}: novelty takes {_cost(model, articles):.1%} of the time")


def _apart(rows: pa.Table, out: pa.Array) -> tuple[pa.Table, pa.Table]:
    """The rows of the labels that stay, and those of the others."""
    is_out = pc.is_in(rows["label"], out)
    return rows.filter(pc.invert(is_out)), rows.filter(is_out)


def _texts(file: Path) -> pa.Array:
    return pq.read_table(file)["text"].combine_chunks()


def _trained(model: Path, rows: pa.Table) -> Path:
    if not model.is_dir():
        file = model.with_suffix(".parquet")
        pq.write_table(rows, file)
        command = [sys.executable, "-m", "textbatch", "train", file, "--model", model]
        subprocess.run([*map(str, command), "--text-column", "text"], check=True, stdout=sys.stderr)
    return model


def _lines(
    name: str, model: Path, ordinary: pa.Array, others: dict[str, pa.Array]
) -> Iterator[tuple[str, ...]]:
    with open_bundle(load_bundle(model)) as predictor:
        usual = _novelty(predictor, ordinary)
        for title, texts in {"test rows": ordinary, **others}.items():
            found = _novelty(predictor, texts)
            area = "" if title == "test rows" else f"{_area(usual, found):.3f}"
            below = [f"{(found < limit).mean():.1%}" for limit in (0.01, 0.05)]
            yield (name, title, f"{len(found):,}", area, *below)


def _novelty(predictor: Predictor, texts: pa.Array) -> Float32Array:
    """The novelty of texts with evidence; the others are told apart by their status anyway."""
    found = Predictors([predictor], Beside(novelty=True)).start(texts).result()
    assert found.extras is not None
    return found.extras[np.isfinite(found.extras[:, 0]), 0]


def _area(ordinary: Float32Array, other: Float32Array) -> float:
    """AUROC: the chance that another text has a smaller novelty than an ordinary one."""
    ranks = rankdata(-np.concatenate([ordinary, other]))
    above = ranks[len(ordinary) :].sum() - len(other) * (len(other) + 1) / 2
    return float(above / (len(ordinary) * len(other)))


def _cost(model: Path, texts: pa.Array) -> float:
    texts = texts[:RATE_ROWS]
    best = {}
    with open_bundle(load_bundle(model)) as predictor:
        for _ in range(TIMES):
            for beside in (NOTHING, Beside(novelty=True)):
                started = time.process_time()
                Predictors([predictor], beside).start(texts).result()
                seconds = time.process_time() - started
                best[beside] = min(seconds, best.get(beside, seconds))
    return 1 - best[NOTHING] / best[Beside(novelty=True)]


if __name__ == "__main__":
    main()
