"""Trains word vectors with gensim on a corpus on disk, and writes them as word2vec text."""

from __future__ import annotations

import gzip
import io
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np
from gensim.models import FastText, Word2Vec
from gensim.models.callbacks import CallbackAny2Vec

from textbatch.data.storage.atomic_file import atomic_file
from textbatch.model.choices import Algorithm
from textbatch.model.vectors.corpus import Corpus
from textbatch.model.vectors.file_progress import ReadingAlong
from textbatch.model.vectors.types import VectorSettings, WordVectors

#: Rows for n-grams. gensim's default of two million needs gigabytes, even for a small corpus.
_BUCKETS = 200_000


def train_on_corpus(
    corpus: Corpus,
    words: Mapping[str, int],
    *,
    algorithm: Algorithm = "word2vec",
    settings: VectorSettings,
    seed: int,
    extra_words: Collection[str] = (),
    log: Callable[[str], None],
    on_words: Callable[[int], None] = lambda _: None,
) -> WordVectors:
    """Train skip-gram vectors. The same seed gives the same vectors.

    Args:
        corpus: The texts.
        words: The words that get a vector, with their counts, the most frequent first.
        algorithm: `fasttext` adds the n-grams of 3 to 6 characters.
        settings: How to train.
        seed: Seed of the first vectors and of the sampling.
        extra_words: More words, whose vectors fastText computes from their n-grams.
        log: Called with a message after each epoch.
        on_words: Called, from other threads too, with the number of words that were read since
            the last call. The words of every epoch count.
    """
    # One worker: with several, the result would depend on their timing.
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
    reporter = _EpochReporter(corpus.tokens, settings.epochs, log, on_words)
    with ReadingAlong(corpus.path, reporter.read):
        model.train(
            corpus_file=os.fspath(corpus.path),
            total_examples=corpus.texts,
            total_words=corpus.tokens,
            epochs=settings.epochs,
            callbacks=[reporter],
        )
    kept = list(words)
    if algorithm == "fasttext":
        kept += sorted(set(extra_words) - words.keys())
    return WordVectors(words=tuple(kept), table=np.asarray(model.wv[kept], np.float32))


class _EpochReporter(CallbackAny2Vec):  # type: ignore[misc]
    """Reports the progress of training. gensim itself reports only the end of each epoch."""

    def __init__(
        self,
        tokens: int,
        epochs: int,
        log: Callable[[str], None],
        on_words: Callable[[int], None],
    ) -> None:
        self._tokens, self._epochs, self._log, self._on_words = tokens, epochs, log, on_words
        self._done = self._told = 0
        self._lock = threading.Lock()
        self._started = time.monotonic()

    def read(self, share: float) -> None:
        """Report that a share of the corpus (0 to 1) is read in this epoch."""
        with self._lock:
            words = int((self._done + min(1.0, share)) * self._tokens)
            # The file may still be open when its epoch has been counted.
            self._on_words(max(0, words - self._told))
            self._told = max(words, self._told)

    def on_epoch_end(self, model: object) -> None:
        self.read(1.0)
        self._done += 1
        seconds = max(1e-9, time.monotonic() - self._started)
        rate = self._done * self._tokens / seconds
        left = seconds * (self._epochs - self._done) / self._done
        line = f"vectors: epoch {self._done} of {self._epochs}, {rate:,.0f} words/s"
        self._log(line + (f", {left:,.0f} s left" if left else ""))


def write_vectors(path: Path, vectors: WordVectors) -> None:
    """Write vectors as word2vec text, whole or not at all.

    Args:
        path: The file. It is gzipped if its name ends in `.gz`.
        vectors: The vectors.

    Raises:
        OutputError: The directory does not exist.
        StorageError: The disk is full or failing.
    """
    with atomic_file(path) as new:
        file = new.buffered
        if path.suffix == ".gz":
            # No name and time inside: the same vectors are the same bytes.
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0, compresslevel=6) as packed:
                _write_rows(packed, vectors)
        else:
            _write_rows(file, vectors)


def _write_rows(file: io.BufferedIOBase, vectors: WordVectors) -> None:
    rows, dim = vectors.table.shape
    file.write(f"{rows} {dim}\n".encode())
    for word, row in zip(vectors.words, vectors.table.tolist(), strict=True):
        file.write(f"{word} {' '.join([f'{value:.6g}' for value in row])}\n".encode())
