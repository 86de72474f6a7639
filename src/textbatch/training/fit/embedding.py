"""The words that a model knows, and their vectors from all sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textbatch.data.readers.bad_rows import BadRow
from textbatch.data.storage.passing import passing_folder
from textbatch.model.network.keras_backend import import_keras
from textbatch.model.vectors.combine import combine, extend_vocabulary
from textbatch.model.vectors.corpus import Corpus, write_corpus
from textbatch.model.vectors.coverage import Covering, VectorCoverage, coverage_of
from textbatch.model.vectors.types import WordVectors
from textbatch.text.vocabulary import RESERVED, Vocabulary
from textbatch.training.fit.vector_sources import (
    helpful_sources,
    installed_vectors,
    open_sources,
    read_sources,
)
from textbatch.training.run import TrainingRun
from textbatch.training.split.dataset import Splits
from textbatch.training.unlabelled import unlabelled_of
from textbatch.types import Float32Array, Int64Array

#: Words that only unlabelled texts have are left out if they are rarer: their vectors are bad.
_MIN_UNLABELLED = 5
#: Words that training on the own texts reads in all epochs: more texts get fewer epochs.
_MAX_WORDS = 60_000_000
_MIN_EPOCHS = 3
IN_DOMAIN = "in-domain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """Words with their vectors.

    Attributes:
        vocabulary: Words of the training texts, then words that only other sources have.
        table: The embedding table to begin with. Shape `(vocabulary_size, dim)`.
        coverage: How many words each source has vectors for; None if no file was named.
        warnings: What was left out.
        published: The vectors of the same words for the linear model, without those that only the
            training texts made; None without any.
    """

    vocabulary: Vocabulary
    table: Float32Array
    coverage: VectorCoverage | None = None
    warnings: Sequence[str] = ()
    published: WordVectors | None = None


def build_embedding(
    run: TrainingRun,
    splits: Splits,
    texts: pa.Array,
    tokens: tuple[pa.Array, Int64Array],
    vocabulary: Vocabulary,
) -> Embedding:
    """Train vectors on the own texts, read pretrained ones, and join them.

    Args:
        run: Names the pretrained files and the unlabelled texts, and tells how to train.
        splits: The labelled rows, which decide about sources that have a name.
        texts: The training texts. Shape `(rows,)`.
        tokens: Their tokens, one text after the other, and where each text begins.
        vocabulary: The frequent words of these texts.

    Returns:
        The words with their vectors.

    Raises:
        InputNotFoundError: A file does not exist.
        DataError: A file is malformed.
        ConflictError: The sources have too many dimensions together.
        TextbatchError: Another subclass, if a package or a published file cannot be had.
    """
    config, recipe = run.config, run.recipe
    if not config.vectors and not config.unlabelled:
        own = _from_training(run, tokens, vocabulary)
        table = combine(vocabulary, [own], len(vocabulary.words()))
        installed, told = installed_vectors(run, vocabulary.words())
        return Embedding(vocabulary=vocabulary, table=table, published=installed, warnings=told)
    opened = open_sources(run)
    if config.unlabelled:
        unlabelled_of(config).check()
    counts = _counts(tokens[0])
    with passing_folder() as folder:
        corpus, warnings = _corpus(run, texts, folder / "corpus.txt")
        frequent = corpus.frequent(_MIN_UNLABELLED) if corpus else {}
        candidates = [word for word in frequent if word not in counts][: config.keep_vectors]
        read = read_sources(run, opened, {*counts, *candidates})
        pretrained, left_out = helpful_sources(run, splits, read)
        files = [source.vectors for source in pretrained]
        own = _from_corpus(run, corpus) if corpus else _from_training(run, tokens, vocabulary)
    have_vectors = {word for source in (own, *files) for word in source.words}
    extended = extend_vocabulary(
        vocabulary,
        rare=sorted(word for word in counts if word in have_vectors),
        unseen=[candidates, *([w for w in file.words if w not in counts] for file in files)],
        keep=config.keep_vectors,
        max_size=recipe.max_vocabulary,
    )
    names = [(IN_DOMAIN, ""), *((source.name, source.origin) for source in pretrained)]
    coverage = coverage_of(
        counts,
        extended.words(),
        [
            Covering(name=name, origin=origin, dim=source.table.shape[1], words=source.words)
            for (name, origin), source in zip(names, [own, *files], strict=True)
        ],
        own=IN_DOMAIN,
    )
    for line in coverage.lines():
        run.listener.log(line)
    table = combine(extended, [own, *files], coverage.seen_words)
    known, told = table[len(RESERVED) :, 0 if corpus else own.table.shape[1] :], []
    if not config.vectors:
        installed, told = installed_vectors(run, extended.words())
        known = np.concatenate([known, installed.table], axis=1) if installed else known
    return Embedding(
        vocabulary=extended,
        table=table,
        coverage=coverage,
        warnings=[*warnings, *left_out, *told],
        published=WordVectors(words=tuple(extended.words()), table=known) if known.size else None,
    )


def _counts(tokens: pa.Array) -> Mapping[str, int]:
    counted = pc.value_counts(tokens)
    words, counts = (counted.field(name).to_pylist() for name in ("values", "counts"))
    return dict(zip(words, counts, strict=True))


def _corpus(run: TrainingRun, texts: pa.Array, path: Path) -> tuple[Corpus | None, list[str]]:
    """Write training and unlabelled texts to one file; None if there are no unlabelled ones."""
    if not run.config.unlabelled:
        return None, []
    bad: list[BadRow] = []
    with run.listener.step("reading unlabelled", unit="texts") as step:
        others = unlabelled_of(run.config).texts(lambda _, rows: bad.extend(rows), step.advance)
        corpus = write_corpus(path, [texts], others)
    run.listener.log(
        f"{corpus.texts:,} different texts, {corpus.tokens:,} words to train word vectors on"
    )
    left_out = f"{len(bad):,} unlabelled texts are not valid UTF-8; they are left out"
    return corpus, [left_out] if bad else []


def _from_training(
    run: TrainingRun, tokens: tuple[pa.Array, Int64Array], vocabulary: Vocabulary
) -> WordVectors:
    # Here, not at the top: gensim takes seconds to import.
    from textbatch.model.vectors.word2vec import train_vectors

    words, offsets = tokens
    settings = run.recipe.vectors
    total = len(words) * settings.epochs
    with (
        run.listener.step("word vectors", total, unit="words") as step,
        ThreadPoolExecutor(1) as beside,
    ):
        training = beside.submit(
            train_vectors,
            words.to_pylist(),
            offsets.tolist(),
            vocabulary,
            settings=settings,
            seed=run.config.seed,
            on_words=step.advance,
        )
        # gensim uses one core; meanwhile another one imports TensorFlow, which takes seconds.
        import_keras()
        table = training.result()
    run.listener.log(f"word vectors trained on {len(words):,} words")
    return WordVectors(words=tuple(vocabulary.words()), table=table[len(RESERVED) :])


def _from_corpus(run: TrainingRun, corpus: Corpus) -> WordVectors:
    from textbatch.model.vectors.corpus_training import train_on_corpus

    enough = max(_MIN_EPOCHS, _MAX_WORDS // max(1, corpus.tokens))
    settings = replace(run.recipe.vectors, epochs=min(run.recipe.vectors.epochs, enough))
    words = corpus.frequent(run.recipe.min_count)
    with run.listener.step("word vectors", corpus.tokens * settings.epochs, unit="words") as step:
        return train_on_corpus(
            corpus,
            words,
            settings=settings,
            seed=run.config.seed,
            log=run.listener.log,
            on_words=step.advance,
        )
