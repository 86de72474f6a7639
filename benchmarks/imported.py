"""`python -m benchmarks.imported`: an imported Keras model beside Keras's own `predict`."""

from __future__ import annotations

import argparse
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

import textbatch
from benchmarks import data
from textbatch.model.network.keras_backend import import_keras
from textbatch.training.config.model_import import ImportConfig
from textbatch.training.imported.model_import import import_model

#: The network of the question that textbatch began with.
LENGTH, WORDS, DIMENSIONS, GRU, LSTM, DENSE, LABELS = 50, 27_463, 100, 150, 200, 100, 4
#: What was saved: title, mask, side of padding.
VARIANTS = (
    ("masked, padded before", True, "pre"),
    ("masked, padded behind", True, "post"),
    ("without a mask, padded before", False, "pre"),
    ("without a mask, padded behind", False, "post"),
)
HEADINGS = ("network", "Keras rows/s", "textbatch rows/s", "ratio", "answers")


def main() -> None:
    """Measure and print."""
    options = _options()
    import_keras()
    print(f"| {' | '.join(HEADINGS)} |")
    print("|---|---:|---:|---:|---|")
    with TemporaryDirectory() as temporary:
        for number, (title, mask, padding) in enumerate(VARIANTS):
            folder = Path(temporary) / str(number)
            folder.mkdir()
            cells = measured(folder, options, mask=mask, padding=padding)
            print(f"| {' | '.join((title, *cells))} |")
    print(
        f"\n{options.rows:,} rows of {options.dataset}, medians of {options.rounds} rounds, from "
        "file to file; Keras with its default batch of 32. Loading is counted for neither."
    )


def measured(
    folder: Path, options: argparse.Namespace, *, mask: bool, padding: str
) -> tuple[str, ...]:
    """Make a network, import it, and time both.

    Args:
        folder: For files.
        options: Of the command line.
        mask: Whether the embedding masks padding.
        padding: On which side texts are padded.

    Returns:
        The cells of its row.
    """
    source = folder / "texts.parquet"
    data.write_texts(options.dataset, source, options.rows, data.MADE_UP_WORDS)
    by_keras = keras_job(folder, source, mask=mask, padding=padding)
    import_model(
        ImportConfig(
            keras=folder / "network.keras",
            tokenizer=folder / "tokenizer.pickle",
            model=folder / "model",
            padding=padding,
        )
    )
    loaded = textbatch.load(folder / "model")

    def by_textbatch() -> np.ndarray:
        table = loaded.score_table(pq.read_table(source), probabilities=True)
        pq.write_table(table, folder / "textbatch.parquet")
        return table

    jobs: tuple[Callable[[], object], ...] = (by_keras, by_textbatch)
    told = compared(by_keras(), by_textbatch())
    seconds: list[list[float]] = [[], []]
    for turn in range(options.rounds):
        for number in (0, 1) if turn % 2 else (1, 0):
            started = time.perf_counter()
            jobs[number]()
            seconds[number].append(time.perf_counter() - started)
    loaded.close()
    theirs, ours = (options.rows / median(one) for one in seconds)
    return (f"{theirs:,.0f}", f"{ours:,.0f}", f"{ours / theirs:.1f}", told)


def keras_job(folder: Path, source: Path, *, mask: bool, padding: str) -> Callable[[], np.ndarray]:
    """Save a network and its Tokenizer as a script would; return what that script does with texts.

    Args:
        folder: Where to.
        source: The texts.
        mask: Whether the embedding masks padding.
        padding: On which side texts are padded.
    """
    import keras
    from keras.src.legacy.preprocessing.text import Tokenizer

    layers = keras.layers
    keras.utils.set_random_seed(0)
    tokenizer = Tokenizer(num_words=WORDS)
    tokenizer.fit_on_texts(pd.read_parquet(source)["text"])
    network = keras.Sequential(
        [
            keras.Input((LENGTH,)),
            layers.Embedding(
                WORDS, DIMENSIONS, mask_zero=mask, embeddings_initializer="random_normal"
            ),
            layers.GRU(GRU, return_sequences=True, reset_after=False),
            layers.Dropout(0.4),
            layers.LSTM(LSTM),
            layers.Dense(DENSE, activation="relu"),
            layers.Dense(LABELS, activation="softmax"),
        ]
    )
    network.save(folder / "network.keras")
    (folder / "tokenizer.pickle").write_bytes(pickle.dumps(tokenizer))

    def job() -> np.ndarray:
        frame = pd.read_parquet(source)
        sequences = tokenizer.texts_to_sequences(frame["text"])
        padded = keras.utils.pad_sequences(sequences, maxlen=LENGTH, padding=padding)
        found = network.predict(padded, verbose=0)
        frame["label"], frame["confidence"] = found.argmax(axis=1), found.max(axis=1)
        frame.to_parquet(folder / "keras.parquet")
        return found

    return job


def compared(theirs: np.ndarray, table: object) -> str:
    """Say how far the answers are from each other.

    Args:
        theirs: Keras's probabilities.
        table: What textbatch made, an Arrow table.
    """
    column = table.column("probabilities")
    answered = column.is_valid().to_numpy()
    ours = np.stack(column.drop_null().to_numpy())
    theirs = theirs[answered]
    others = int((ours.argmax(axis=1) != theirs.argmax(axis=1)).sum())
    return f"{others} other labels, up to {np.abs(ours - theirs).max():.0e} apart"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3_000, help="rows of the file")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each")
    parser.add_argument("--dataset", default="synthetic", help="news, tweets, r8 or synthetic")
    return parser.parse_args()


if __name__ == "__main__":
    main()
