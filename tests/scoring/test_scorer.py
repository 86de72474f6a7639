"""What engines send to their workers; tests/system/engines runs it in real ones."""

from __future__ import annotations

import multiprocessing
import pickle
import shutil

import pyarrow as pa
import pytest
from support.bundles import random_bundle, write_bundle

import textbatch
from textbatch.errors import BundleError, ConflictError, DataError, UsageError
from textbatch.scoring import scorer as module
from textbatch.scoring.scorer import Scorer, plain_type

WIDE = {"probabilities": True, "top_k": 2, "min_confidence": 0.5, "prefix": "my_"}


@pytest.fixture
def table(texts) -> pa.Table:
    return pa.table({"n": range(len(texts)), "text": pa.array(texts, pa.string())})


def test_a_sent_scorer_answers_as_score_does(model, table):
    sent = pickle.loads(pickle.dumps(Scorer(model, **WIDE)))
    assert sent(table).equals(textbatch.score(table, model=model, **WIDE))


def test_a_process_loads_the_model_once(model, table, monkeypatch):
    module._loaded.cache_clear()
    opened = []
    monkeypatch.setattr(
        module, "open_model", lambda *given: opened.append(given) or textbatch.load(given[0])
    )
    for one in (
        Scorer(model),
        Scorer(str(model), top_k=1),
        pickle.loads(pickle.dumps(Scorer(model))),
    ):
        one(table)
    assert len(opened) == 1
    module._loaded.cache_clear()


def test_a_forked_process_has_a_model_of_its_own(model, table):
    """Its parent's threads are not there: with the parent's model it would wait for ever."""
    scorer = Scorer(model)
    expected = scorer(table)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(scorer, (table,)).get(60).equals(expected)


def test_a_path_holds_in_other_folders(model, table, tmp_path, monkeypatch):
    monkeypatch.chdir(model.parent)
    scorer = Scorer(model.name)
    monkeypatch.chdir(tmp_path)
    assert len(scorer(table)) == len(table)


def test_another_model_in_its_place_is_refused(model, table, tmp_path):
    place = shutil.copytree(model, tmp_path / "model")
    scorer = Scorer(place)
    shutil.rmtree(place)
    with pytest.raises(BundleError, match="no model"):
        scorer(table)
    write_bundle(place, random_bundle(seed=7))
    with pytest.raises(BundleError, match="not the model that the job began with"):
        scorer(table)


def test_mistakes_are_found_before_there_are_rows(model, tmp_path):
    with pytest.raises(BundleError):
        Scorer(tmp_path / "none")
    with pytest.raises(UsageError, match="--top-k is -1"):
        Scorer(model, top_k=-1)
    scorer = Scorer(model)
    scorer.check_columns(["text", "n"], pa.string())
    for names, kind, error, told in (
        (["n"], None, DataError, "no column 'text'"),
        (["text"], pa.int64(), DataError, "holds int64, not text"),
        (["text"], pa.list_(pa.string()), DataError, "lists of strings"),
        (["text", "n", "n"], None, DataError, "two columns of one name: 'n'"),
        (["text", "status"], None, ConflictError, "column 'status'; give a prefix"),
        (["text", "Status"], None, ConflictError, "do not tell from 'status'"),
    ):
        with pytest.raises(error, match=told):
            scorer.check_columns(names, kind)
    Scorer(model, join_lists=" ").check_columns(["text"], pa.list_(pa.string()))


def test_the_modules_of_engines_are_there_without_the_engines(monkeypatch):
    import sys

    for library in ("pyspark", "ray", "dask", "distributed"):
        monkeypatch.setitem(sys.modules, library, None)
    for name in ("spark", "ray", "dask"):
        assert callable(getattr(textbatch, name).score)
        assert name in dir(textbatch)


def test_engines_without_dictionaries_get_plain_types_at_every_depth():
    words = pa.dictionary(pa.int32(), pa.string())
    given = pa.list_(pa.struct([("token", words), ("weight", pa.float32())]))
    found = plain_type(given, pa.large_string())
    assert found == pa.list_(pa.struct([("token", pa.large_string()), ("weight", pa.float32())]))
    assert plain_type(pa.list_(words), pa.string()) == pa.list_(pa.string())
    assert plain_type(pa.float32(), pa.string()) == pa.float32()
