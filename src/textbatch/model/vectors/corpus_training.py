"""Word vectors trained with gensim on a corpus on disk, and their file in word2vec's text form."""

from __future__ import annotations

import gzip
import io
import os
import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np
from gensim.models import FastText, Word2Vec
from gensim.models.callbacks import CallbackAny2Vec

from textbatch.errors import OutputError, storage_errors
from textbatch.model.choices import Algorithm
from textbatch.model.vectors.corpus import Corpus
from textbatch.model.vectors.file_progress import ReadingAlong
from textbatch.model.vectors.types import VectorSettings, WordVectors

#: Rows for n-grams; gensim's default of two million would take gigabytes for a small corpus.
_BUCKETS = 200_000


def train_on_corpus(
    corpus: Corpus,
    words: Mapping[str, int],
    *,
    algorithm: Algorithm = "word2vec",
    settings: VectorSettings,
    seed: int,
    extra_words: Collection[str] = (),
    say: Callable[[str], None],
    on_words: Callable[[int], None] = lambda _: None,
) -> WordVectors:
    """Train skip-gram vectors, the same ones for the same seed.

    Args:
        corpus: The texts.
        words: Which words get a vector, with their counts, the most frequent first.
        algorithm: `fasttext` adds the n-grams of 3 to 6 characters.
        settings: How to train.
        seed: Of the starting vectors and the sampling.
        extra_words: More words, which fastText makes up out of their n-grams.
        say: Called after each pass.
        on_words: Told, from other threads too, how many more words are passed over; all passes
            count.
    """
    # One worker: several would make the result depend on their timing.
    model = (
        FastText(
            vector_size=settings.dim,
            window=settings.window,
            sg=1,
            seed=seed,
            workers=1,
            min_count=1,
            bucket=_BUCKETS,
        )
        if algorithm == "fasttext"
        else Word2Vec(
            vector_size=settings.dim,
            window=settings.window,
            sg=1,
            seed=seed,
            workers=1,
            min_count=1,
        )
    )
    model.build_vocab_from_freq(dict(words), corpus_count=corpus.texts)
    passes = _Passes(corpus.tokens, settings.epochs, say, on_words)
    with ReadingAlong(corpus.path, passes.read):
        model.train(
            corpus_file=os.fspath(corpus.path),
            total_examples=corpus.texts,
            total_words=corpus.tokens,
            epochs=settings.epochs,
            callbacks=[passes],
        )
    kept = list(words)
    if algorithm == "fasttext":
        kept += sorted(set(extra_words) - words.keys())
    return WordVectors(words=tuple(kept), table=np.asarray(model.wv[kept], np.float32))


class _Passes(CallbackAny2Vec):  # type: ignore[misc]
    """Tells how far training is; gensim itself tells no more than the end of each pass."""

    def __init__(
        self,
        tokens: int,
        epochs: int,
        say: Callable[[str], None],
        on_words: Callable[[int], None],
    ) -> None:
        self._tokens, self._epochs, self._say, self._on_words = tokens, epochs, say, on_words
        self._done = self._told = 0
        self._lock = threading.Lock()
        self._started = time.monotonic()

    def read(self, share: float) -> None:
        """A share of the corpus is read in this pass."""
        with self._lock:
            words = int((self._done + min(1.0, share)) * self._tokens)
            # The file may still be open when its pass has been counted.
            self._on_words(max(0, words - self._told))
            self._told = max(words, self._told)

    def on_epoch_end(self, model: object) -> None:
        self.read(1.0)
        self._done += 1
        seconds = max(1e-9, time.monotonic() - self._started)
        rate = self._done * self._tokens / seconds
        left = seconds * (self._epochs - self._done) / self._done
        line = f"vectors: pass {self._done} of {self._epochs}, {rate:,.0f} words/s"
        self._say(line + (f", {left:,.0f} s left" if left else ""))


def write_vectors(path: Path, vectors: WordVectors) -> None:
    """Write word2vec's text form, gzipped where the name ends in `.gz`, whole or not at all.

    Raises:
        OutputError: The directory does not exist.
        StorageError: The disk is full or failing.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    with storage_errors(path, "cannot write", missing=OutputError):
        try:
            with temporary.open("xb") as file:
                if path.suffix == ".gz":
                    # No name and time inside: the same vectors are the same bytes.
                    with gzip.GzipFile("", "wb", fileobj=file, mtime=0, compresslevel=6) as packed:
                        _write_rows(packed, vectors)
                else:
                    _write_rows(file, vectors)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _write_rows(file: io.BufferedIOBase, vectors: WordVectors) -> None:
    rows, dim = vectors.table.shape
    file.write(f"{rows} {dim}\n".encode())
    for word, row in zip(vectors.words, vectors.table.tolist(), strict=True):
        file.write(f"{word} {' '.join([f'{value:.6g}' for value in row])}\n".encode())
