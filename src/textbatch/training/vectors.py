"""The path of `textbatch vectors`: read texts → tokenize to disk → train → write."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from pathlib import Path

from textbatch.data.output.quarantine import BadRowList
from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.readers.inputs import standard_input_as_file
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.readers.read_progress import OnRead
from textbatch.data.readers.unlabelled import UnlabelledFiles
from textbatch.data.storage.file_io import new_output
from textbatch.data.storage.files import InputFile
from textbatch.data.storage.location import Location
from textbatch.data.storage.passing import passing_folder
from textbatch.data.storage.places import check_places
from textbatch.errors import DataError
from textbatch.model.vectors.corpus import write_corpus
from textbatch.model.vectors.types import VectorSettings
from textbatch.report.listener import SILENT, Listener
from textbatch.report.vectors import VectorsReport
from textbatch.text.normalization import split_tokens
from textbatch.training.config.vectors import VectorsConfig


def train_vectors(config: VectorsConfig, *, listener: Listener = SILENT) -> VectorsReport:
    """Train word vectors on texts and write them as word2vec text.

    Args:
        config: What to train on and how.
        listener: Gets messages, and the progress of reading and training.

    Returns:
        The report.

    Raises:
        TextbatchError: Its subclass tells the kind of error. An older output is unchanged.
    """
    started = time.perf_counter()
    check_places(config)
    new_output(config.output).check(overwrite=config.if_exists == "replace")
    with standard_input_as_file(config.inputs) as inputs:
        return _train_vectors(config, inputs, listener, started)


def _train_vectors(
    config: VectorsConfig,
    inputs: tuple[Location, ...],
    listener: Listener,
    started: float,
) -> VectorsReport:
    files = UnlabelledFiles(
        inputs=inputs,
        options=config.reading(),
        text_column=config.text_column,
        sets_aside=config.quarantine is not None,
    )
    files.check()
    bad = _BadRows(config)
    extra_words = _listed_words(config.words) if config.words else ()
    with passing_folder() as folder:
        with listener.step("reading", unit="texts") as step:
            texts = files.texts(bad.take, bad.counting(step.advance))
            corpus = write_corpus(folder / "corpus.txt", [], texts)
        bad.write()
        words = corpus.frequent(config.min_count)
        if not words:
            raise DataError(
                f"no word occurs {config.min_count} times in {corpus.texts:,} texts",
                "give more texts or a smaller --min-count",
            )
        listener.log(
            f"{corpus.texts:,} texts, {corpus.tokens:,} words, {len(words):,} different to learn"
        )
        # Here, not at the top: gensim takes seconds to import.
        from textbatch.model.vectors.corpus_training import train_on_corpus, write_vectors

        begun = time.perf_counter()
        total = corpus.tokens * config.epochs
        with listener.step("word vectors", total, unit="words") as step:
            vectors = train_on_corpus(
                corpus,
                words,
                algorithm=config.algorithm,
                settings=VectorSettings(dim=config.dim, window=config.window, epochs=config.epochs),
                seed=config.seed,
                extra_words=extra_words,
                log=listener.log,
                on_words=step.advance,
            )
        trained = time.perf_counter() - begun
    write_vectors(config.output, vectors)
    return VectorsReport(
        output=os.fspath(config.output),
        texts=corpus.texts,
        tokens=corpus.tokens,
        words=len(vectors.words),
        dim=config.dim,
        undecodable=bad.undecodable,
        unreadable=bad.unreadable,
        tokens_per_second=round(corpus.tokens * config.epochs / trained),
        seconds=round(time.perf_counter() - started, 1),
    )


class _BadRows:
    """Counts the rows that are left out, and lists them where they are asked for.

    Attributes:
        undecodable: Texts that are not UTF-8.
        unreadable: Rows that have a wrong number of cells.
    """

    def __init__(self, config: VectorsConfig) -> None:
        self._list = BadRowList(config.quarantine, config.max_bad_rows)
        self.undecodable = self.unreadable = self._rows = 0

    def take(self, file: InputFile, rows: list[BadRow]) -> None:
        undecodable = sum(row.reason == "bad_utf8" for row in rows)
        self.undecodable += undecodable
        self.unreadable += len(rows) - undecodable
        if taker := self._list.taker:
            taker(file, rows)

    def counting(self, on_read: OnRead) -> OnRead:
        """The same, and counts the rows."""

        def read(rows: int, share: float) -> None:
            self._rows += rows
            on_read(rows, share)

        return read

    def write(self) -> None:
        self._list.write(self._rows)


def _listed_words(path: Path) -> Collection[str]:
    """Return the words of a file with one on each line, normalized as words of texts are."""
    found: set[str] = set()
    files = UnlabelledFiles(inputs=[path], options=ReadOptions(), text_column="text")
    for chunk in files.texts():
        found.update(split_tokens(chunk)[0].to_pylist())
    return found
