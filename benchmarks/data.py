"""Data sets to measure on: real ones where the machine has them, and a generator."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

#: Test file, whose texts are scored, and training file.
FILES = {
    "news": ("agnews-3000-test", "agnews-4600-train"),
    "tweets": ("tweeteval-emoji-test", "tweeteval-emoji-train"),
    "r8": ("r8-test", "r8-train"),
}
SYNTHETIC = "synthetic"
LABELS = tuple(f"topic-{index}" for index in range(4))
MADE_UP_WORDS = tuple(f"word{index}" for index in range(20_000))

_BATCH_ROWS = 20_000
_TRAINING_ROWS = 4_600


def data_folder() -> Path | None:
    """The folder of real data sets: `TEXTBATCH_DATA`, else one beside the repository."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("TEXTBATCH_DATA", beside))
    return folder if folder.is_dir() else None


def needed_folder() -> Path:
    """The folder of real data sets.

    Raises:
        SystemExit: There is none.
    """
    folder = data_folder()
    if folder is None:
        raise SystemExit("no folder of data sets: set TEXTBATCH_DATA")
    return folder


def available() -> tuple[str, ...]:
    """The data sets that can be measured here."""
    return (*FILES, SYNTHETIC) if data_folder() else (SYNTHETIC,)


def training_file(name: str, folder: Path, words: Sequence[str] = MADE_UP_WORDS) -> Path:
    """The labelled training rows of a data set; synthetic ones are written to `folder`."""
    if name != SYNTHETIC:
        return real(FILES[name][1])
    path = folder / "training.parquet"
    _write(path, synthetic(_TRAINING_ROWS, words, seed=1))
    return path


def write_texts(name: str, path: Path, rows: int, words: Sequence[str] = MADE_UP_WORDS) -> None:
    """Write a data set's texts, `rows` of them, to Parquet; made-up ones of the given words."""
    if name == SYNTHETIC:
        _write(path, (batch.select(["id", "text"]) for batch in synthetic(rows, words)))
        return
    texts = pq.read_table(real(FILES[name][0]))["text"].to_pylist()
    table = {"id": [f"row-{row}" for row in range(rows)], "text": repeated(texts, rows)}
    pq.write_table(pa.table(table), path)


def synthetic(rows: int, words: Sequence[str], *, seed: int = 0) -> Iterator[pa.RecordBatch]:
    """Make up rows as long as news (mean 38 words), their words as uneven as in any language.

    Yields:
        Columns `id`, `text` and `label`; a label shows in which words are frequent.
    """
    ranks = np.arange(len(words))
    weights = 1 / (ranks + 3)
    shares = np.cumsum(weights / weights.sum())
    values = pa.array(words, pa.string())
    for start in range(0, rows, _BATCH_ROWS):
        random = np.random.default_rng([seed, start])
        count = min(_BATCH_ROWS, rows - start)
        lengths = random.lognormal(np.log(37), 0.3, count).clip(5, 150).astype(np.int64)
        label_ids = random.integers(len(LABELS), size=count)
        picked = np.searchsorted(shares, random.random(lengths.sum())).clip(max=ranks[-1])
        # A third of a row's words give way to a neighbour in rank that belongs to its label.
        own = picked - picked % len(LABELS) + np.repeat(label_ids, lengths)
        topical = (random.random(len(picked)) < 1 / 3) & (own < len(words))
        picked = np.where(topical, own, picked)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        lists = pa.ListArray.from_arrays(offsets, values.take(pa.array(picked)))
        yield pa.record_batch(
            {
                "id": [f"row-{row}" for row in range(start, start + count)],
                "text": pc.binary_join(lists, " "),
                "label": pa.array(LABELS).take(pa.array(label_ids)),
            }
        )


def repeated(texts: list[str], rows: int) -> list[str]:
    """As many rows as asked for; each repetition has its words turned by one place more.

    Without that, textbatch would score a repeated text once a chunk, and look too good.
    """
    return [_turned(texts[row % len(texts)], row // len(texts)) for row in range(rows)]


def _turned(text: str, places: int) -> str:
    words = text.split()
    places %= max(1, len(words))
    return " ".join(words[places:] + words[:places]) if places else text


def real(name: str) -> Path:
    """A file of the folder of real data sets, by its name without the suffix.

    Raises:
        SystemExit: There is no such folder.
    """
    folder = data_folder()
    if folder is None:
        raise SystemExit(f"no folder of data sets for {name}: set TEXTBATCH_DATA")
    return folder / f"{name}.parquet"


def _write(path: Path, batches: Iterator[pa.RecordBatch]) -> None:
    first = next(batches)
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)
