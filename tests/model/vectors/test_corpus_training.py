from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from gensim.models import KeyedVectors

from textbatch.model.vectors import file_progress
from textbatch.model.vectors.corpus import Corpus, write_corpus
from textbatch.model.vectors.corpus_training import train_on_corpus, write_vectors
from textbatch.model.vectors.file_progress import ReadingAlong
from textbatch.model.vectors.types import VectorSettings, WordVectors
from textbatch.model.vectors.vectors_file import read_vectors

SETTINGS = VectorSettings(dim=12, window=3, epochs=30)
PETS, TOOLS = ("cat", "dog", "fur", "paw"), ("saw", "nail", "wood", "drill")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(words, 5)) for words in (PETS, TOOLS) for _ in range(200)]
    path = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    return write_corpus(path, [pa.array(texts, pa.large_string())], [])


def trained(corpus: Corpus, algorithm="word2vec", seed=0, extra_words=(), log=None) -> WordVectors:
    return train_on_corpus(
        corpus,
        corpus.frequent(1),
        algorithm=algorithm,
        settings=SETTINGS,
        seed=seed,
        extra_words=extra_words,
        log=log or (lambda _: None),
    )


@pytest.mark.parametrize("algorithm", ["word2vec", "fasttext"])
def test_words_that_occur_together_are_nearer_than_others(corpus, algorithm):
    found = trained(corpus, algorithm)
    units = found.table / np.linalg.norm(found.table, axis=1, keepdims=True)
    pets, tools = ([found.words.index(word) for word in words] for words in (PETS, TOOLS))
    across = (units[pets] @ units[tools].T).max()
    for together in (pets, tools):
        assert (units[together] @ units[together].T).min() > across


@pytest.mark.parametrize("algorithm", ["word2vec", "fasttext"])
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(corpus, algorithm):
    found = trained(corpus, algorithm)
    assert trained(corpus, algorithm).table.tobytes() == found.table.tobytes()
    assert not np.array_equal(trained(corpus, algorithm, seed=1).table, found.table)


def test_the_hash_seed_of_the_process_does_not_matter(corpus, tmp_path):
    script = (
        "import sys; from pathlib import Path; from textbatch import train_vectors\n"
        "train_vectors(sys.argv[1], sys.argv[2], dim=8, min_count=1, algorithm='fasttext')"
    )
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", script, str(corpus.path), str(tmp_path / f"{seed}.vec")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
        )
    assert (tmp_path / "1.vec").read_bytes() == (tmp_path / "2.vec").read_bytes()


def test_fasttext_makes_up_vectors_for_listed_words(corpus):
    found = trained(corpus, "fasttext", extra_words=["cats", "cat", "drills"])
    assert found.words[-2:] == ("cats", "drills")
    assert found.table[-2:].any(axis=1).all()
    assert trained(corpus, extra_words=["cats"]).words == trained(corpus).words


def test_each_pass_is_told(corpus):
    said: list[str] = []
    trained(corpus, log=said.append)
    assert len(said) == SETTINGS.epochs
    assert said[-1].startswith("vectors: epoch 30 of 30, ")


@pytest.mark.parametrize("name", ["out.vec", "out.vec.gz"])
def test_written_vectors_are_read_back_by_us_and_by_gensim(corpus, tmp_path, name):
    vectors = trained(corpus)
    path: Path = tmp_path / name
    write_vectors(path, vectors)
    found = read_vectors(path, wanted=vectors.words, most_frequent=0)
    assert found.words == vectors.words
    assert np.allclose(found.table, vectors.table, rtol=1e-5)
    assert KeyedVectors.load_word2vec_format(path).index_to_key == list(vectors.words)
    first = path.read_bytes()
    write_vectors(path, vectors)
    assert path.read_bytes() == first
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("algorithm", ["word2vec", "fasttext"])
def test_the_words_of_all_passes_are_told(corpus, algorithm):
    told: list[int] = []
    settings = VectorSettings(dim=4, window=2, epochs=3)
    train_on_corpus(
        corpus,
        corpus.frequent(1),
        algorithm=algorithm,
        settings=settings,
        seed=0,
        log=lambda _: None,
        on_words=told.append,
    )
    assert sum(told) == 3 * corpus.tokens
    assert min(told) >= 0


def test_the_position_in_an_open_file_tells_the_share_read(tmp_path, monkeypatch):
    monkeypatch.setattr(file_progress, "_SECONDS", 0.001)
    path = tmp_path / "corpus.txt"
    path.write_bytes(b"x" * 1_000)
    shares: list[float] = []
    told = threading.Event()

    def tell(share: float) -> None:
        shares.append(share)
        if share:  # the first look may come before the first read
            told.set()

    with path.open("rb", buffering=0) as file, ReadingAlong(path, tell):
        file.read(250)
        assert told.wait(30)
    assert shares[-1] == 0.25
    looks: list[float | None] = []
    looked, look = threading.Semaphore(0), file_progress._share_read

    def counted(path: Path) -> float | None:
        looks.append(look(path))
        looked.release()
        return looks[-1]

    monkeypatch.setattr(file_progress, "_share_read", counted)
    with ReadingAlong(path, shares.append):  # which nobody reads
        assert all(looked.acquire(timeout=30) for _ in range(3))
    assert set(looks) == {None}
    assert set(shares) <= {0.0, 0.25}
