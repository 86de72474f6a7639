from __future__ import annotations

import gzip
import hashlib
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from support.piece_packages import PiecePackages
from support.publisher import Publisher

from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.errors import DataError, InputNotFoundError, MissingExtraError, TryAgainError
from textbatch.model.vectors import named
from textbatch.model.vectors.types import VectorSettings
from textbatch.report.listener import MessagesOnly
from textbatch.text.normalization import split_tokens
from textbatch.text.vocabulary import Vocabulary
from textbatch.training.config.train import TrainConfig
from textbatch.training.fit.embedding import IN_DOMAIN, build_embedding
from textbatch.training.fit.vector_sources import open_sources, read_sources
from textbatch.training.recipes.presets import RECIPES
from textbatch.training.run import TrainingRun
from textbatch.training.split.dataset import Splits

RECIPE = replace(RECIPES["default"], vectors=VectorSettings(dim=3, epochs=1))
GLOVE = "glove-wiki-gigaword-100"
CONTENT = gzip.compress(b"3 2\nthe 1 2\nto 3 4\nnon 5 6\n")


def rows(seed: int, count: int, *, told: bool = True) -> LabelledRows:
    """Texts of a hundred words, whose first letter tells the label, if so asked."""
    ends = [f"{first}{second}{third}" for first in "abc" for second in "defg" for third in "hijk"]
    random = np.random.default_rng(seed)
    labels = ["ab"[number % 2] for number in range(count)]
    firsts = [{"a": "t", "b": "z"}[one] if told else "tz"[random.integers(2)] for one in labels]
    texts = [" ".join(f"{first}{end}" for end in random.choice(ends, 3)) for first in firsts]
    return LabelledRows(texts=pa.array(texts, pa.large_string()), labels=pa.array(labels))


def splits(*, told: bool = True) -> Splits:
    training, held_out = rows(0, 40, told=told), rows(1, 100, told=told)
    return Splits(
        training=training, validation=held_out, test=held_out, labels=("a", "b"), warnings=[]
    )


def run_with(
    *vectors: str, said: list[str] | None = None, keep: int = 3, **settings
) -> TrainingRun:
    given = {"inputs": "rows.csv", "vectors": vectors, "keep_vectors": keep, **settings}
    listener = MessagesOnly((said if said is not None else []).append)
    return TrainingRun(config=TrainConfig.given(given), recipe=RECIPE, listener=listener)


def embedding_of(run: TrainingRun, found: Splits):
    texts = found.training.texts
    tokens = split_tokens(texts)
    return build_embedding(
        run, found, texts, tokens, Vocabulary.build(tokens[0], min_count=1, max_size=1000)
    )


@pytest.fixture
def packages(tmp_path, monkeypatch):
    return PiecePackages(tmp_path / "packages", monkeypatch)


@pytest.fixture
def publisher(tmp_path, monkeypatch):
    found = Publisher(CONTENT)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "0")
    monkeypatch.setattr(named, "_RELEASES", f"http://127.0.0.1:{found.port}")
    source = replace(named.SOURCES[GLOVE], size=len(CONTENT), md5=hashlib.md5(CONTENT).hexdigest())
    monkeypatch.setitem(named.SOURCES, GLOVE, source)
    yield found
    found.close()


def test_pieces_are_used_where_held_out_rows_gain(packages):
    said: list[str] = []
    found = embedding_of(run_with("wordllama", said=said), splits())
    assert [source.name for source in found.coverage.sources] == [IN_DOMAIN, "wordllama"]
    assert "Llama 2 community licence" in found.coverage.sources[1].origin
    assert found.coverage.sources[1].training_tokens == 1.0
    assert found.vocabulary.words()[-3:] == ("the", "to", "a")
    assert found.table.shape == (len(found.vocabulary), 3 + 4)
    ratios = found.table[-3, 3:] / packages.mean("▁the")
    assert np.allclose(ratios, ratios[0], rtol=1e-4)
    assert any(one.startswith("wordllama: used; a linear model loses 0.") for one in said)
    assert not found.warnings


def test_they_are_left_out_with_a_warning_where_not(packages):
    run, data = run_with("wordllama"), splits(told=False)
    found = embedding_of(run, data)
    assert [source.name for source in found.coverage.sources] == [IN_DOMAIN]
    (warning,) = found.warnings
    assert warning.startswith("the vectors of wordllama are left out: a linear model loses")
    plain = embedding_of(run_with(), data)
    assert found.vocabulary == plain.vocabulary
    assert np.array_equal(found.table, plain.table)


def test_a_published_set_is_fetched_read_and_told(publisher, packages):
    run = run_with(GLOVE, "wordllama")
    opened = open_sources(run)
    assert [one.name for one in opened] == [GLOVE, "wordllama"]
    glove, pieces = read_sources(run, opened, {"to"})
    assert glove.vectors.words == ("the", "to", "non")
    assert glove.vectors.table.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert "PDDL" in glove.origin
    assert pieces.vectors.words == ("to", "the", "a", "non")
    open_sources(run)
    assert len(publisher.asked) == 1


def test_a_set_that_cannot_be_had_stops_the_run_before_any_work(publisher):
    publisher.modes = ["wrong", "404", "503"]
    for kind in (DataError, InputNotFoundError, TryAgainError):
        with pytest.raises(kind, match=f"--vectors {GLOVE}: .*{GLOVE}.gz"):
            open_sources(run_with(GLOVE))


def test_a_missing_extra_stops_it_too(packages):
    packages.folders.clear()
    with pytest.raises(MissingExtraError, match="pip install"):
        open_sources(run_with("wordllama"))


def test_a_file_of_that_name_is_read_as_a_file(packages, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wordllama").write_text("the 1 2\nto 3 4\n")
    run = run_with("./wordllama")
    (found,) = read_sources(run, open_sources(run), set())
    assert (found.name, found.origin) == ("wordllama", "")
    assert found.vectors.table.shape == (2, 2)


def test_an_installed_package_that_nobody_names_is_for_the_linear_model_alone(packages):
    data = splits()
    found = embedding_of(run_with(), data)
    words = found.vocabulary.words()
    assert found.published.words == tuple(words)
    word = next(one for one in words if one.startswith("t"))
    pieces = packages.mean("▁t", *word[1:])
    assert found.published.table[words.index(word)] == pytest.approx(pieces, abs=1e-6)
    without = embedding_of(run_with(installed_vectors=False), data)
    assert without.published is None
    assert np.array_equal(found.table, without.table)
    assert embedding_of(run_with(blend="off"), data).published is None
    packages.folders.pop("spellchecker")  # its frequent words are not asked for
    assert embedding_of(run_with(), data).published is not None
    packages.folders.clear()
    assert embedding_of(run_with(), data).published is None


def test_a_damaged_package_that_nobody_named_stops_nothing(packages):
    packages.write_pieces({"model": {}})
    found = embedding_of(run_with(), splits())
    assert found.published is None
    (warning,) = found.warnings
    assert warning.startswith("the linear model does without word vectors: ")


def test_named_sources_are_for_the_linear_model_too(packages, tmp_path):
    file = tmp_path / "own.vec"
    file.write_text("the 1 2\nto 3 4\n")
    found = embedding_of(run_with(str(file)), splits())
    # Not the columns that only the training texts made, and not the package beside what is named.
    assert found.published.words == tuple(found.vocabulary.words())
    assert np.array_equal(found.published.table, found.table[2:, 3:])
