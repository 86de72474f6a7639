from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import (
    exiting_bundle,
    random_bundle,
    random_texts,
    with_novelty,
    write_bundle,
    write_texts,
)

import textbatch
from textbatch.errors import BundleError, ConflictError, QualityGateError
from textbatch.model.bundle.bundle import load_bundle


@pytest.fixture(scope="module")
def knowing(tmp_path_factory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("model") / "model", with_novelty(random_bundle()))


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return write_texts(tmp_path_factory.mktemp("texts") / "in.parquet", random_texts(200))


def scored(source, out, model, **settings):
    report = textbatch.score(source, out, model=model, if_exists="replace", **settings)
    return pq.read_table(out), report


def test_rows_below_the_limit_are_withheld_with_a_status_of_their_own(source, knowing, tmp_path):
    out = tmp_path / "out.parquet"
    table, _ = scored(source, out, knowing, novelty=True)
    assert table.schema.field("novelty").type == pa.float32()
    withheld, report = scored(source, out, knowing, max_novelty=0.2, min_confidence=0.4)
    assert "novelty" not in withheld.column_names
    expected = 0
    for row, other in zip(table.to_pylist(), withheld.to_pylist(), strict=True):
        if row["novelty"] is None:
            assert row["predicted_label"] is None
            assert other["status"] == row["status"]
        elif row["novelty"] < np.float32(0.2):
            expected += 1
            assert (other["status"], other["predicted_label"]) == ("novel", None)
            assert other["confidence"] is None
        elif row["confidence"] < 0.4:
            assert other["status"] == "low_confidence"
        else:
            assert other["predicted_label"] == row["predicted_label"]
    assert report.statuses["novel"] == expected > 10
    assert sum(report.labels.values()) == report.statuses["ok"] + report.statuses["truncated"]


def test_file_table_chunks_and_cache_have_the_same_bits(source, knowing, tmp_path):
    out, settings = tmp_path / "out.parquet", {"novelty": True, "explain": 1}
    whole, _ = scored(source, out, knowing, **settings)
    assert scored(source, out, knowing, **settings, chunk_rows=33)[0].equals(whole)
    for _ in range(2):
        cached, _ = scored(source, out, knowing, **settings, cache=tmp_path / "cache")
        assert cached.equals(whole)
    with textbatch.load(knowing) as model:
        table = model.score_table(pq.read_table(source), **settings)
        assert table["novelty"].to_pylist() == whole["novelty"].to_pylist()
        assert model.score_table(pa.table({"text": ["x"]})).num_columns == 4
    plain, _ = scored(source, out, knowing)
    assert plain.equals(whole.drop_columns(["novelty", "explanation"]))


@pytest.mark.parametrize("settings", [{"novelty": True}, {"max_novelty": 0.01}])
def test_an_older_model_is_refused_and_told_to_be_trained_again(settings, source, model, tmp_path):
    with pytest.raises(QualityGateError, match="what ordinary texts are like") as caught:
        scored(source, tmp_path / "out.parquet", model, **settings)
    assert "train it again" in str(caught.value)
    assert not (tmp_path / "out.parquet").exists()


def test_early_exit_is_refused_beside_it(source, tmp_path):
    path = write_bundle(tmp_path / "model", with_novelty(exiting_bundle()))
    with pytest.raises(ConflictError, match="early exit"):
        scored(source, tmp_path / "out.parquet", path, novelty=True, early_exit=True)


def test_a_bundle_keeps_what_ordinary_texts_are_like(knowing):
    kept = load_bundle(knowing).novelty
    assert kept == with_novelty(random_bundle()).novelty
    assert load_bundle(knowing).fingerprint != random_bundle().fingerprint


def test_a_malformed_file_is_refused(tmp_path):
    bundle = with_novelty(random_bundle())
    scores = bundle.novelty.scores
    for wrong in (scores[::-1], scores[1:]):
        broken = replace(bundle, novelty=replace(bundle.novelty, scores=wrong))
        write_bundle(tmp_path / "model", broken)
        with pytest.raises(BundleError, match=r"novelty\.json is malformed"):
            load_bundle(tmp_path / "model")
        shutil.rmtree(tmp_path / "model")
