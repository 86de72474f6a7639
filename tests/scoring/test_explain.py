from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import blended_bundle, random_texts, warmer_bundle, write_bundle, write_texts

import textbatch
from textbatch.data.output.explanations import EXPLANATION

TOLD = ["predicted_label", "confidence", "explanation"]


@pytest.fixture(scope="module")
def blended(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model"
    write_bundle(path, blended_bundle())
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "in.parquet"
    return write_texts(path, random_texts(40))


def scored(source, out, model, **settings):
    report = textbatch.score(source, out, model=model, if_exists="replace", **settings)
    return pq.read_table(out), report


def test_file_table_and_cache_tell_the_same(source, blended, tmp_path):
    out = tmp_path / "out.parquet"
    whole, _ = scored(source, out, blended, explain=2)
    assert whole.schema.field("explanation").type == EXPLANATION
    chunks, _ = scored(source, out, blended, explain=2, chunk_rows=7)
    assert chunks.equals(whole)
    with textbatch.load(blended) as model:
        table = model.score_table(pq.read_table(source), explain=2)
        plain = model.score_table(pq.read_table(source))
    assert table.select(TOLD).to_pylist() == whole.select(TOLD).to_pylist()
    assert plain.column_names == [name for name in table.column_names if name != "explanation"]
    for cached in (0, 40):
        kept, report = scored(source, out, blended, explain=2, cache=tmp_path / "cache")
        assert kept.equals(whole)
        assert report.rows_cached == cached
    # Answers that were kept without explanations, or with fewer tokens, are of no use.
    more, report = scored(source, out, blended, explain=3, cache=tmp_path / "cache")
    assert report.rows_cached == 0
    assert more["explanation"] != whole["explanation"]


def test_each_of_several_models_explains_its_own_label(source, blended, tmp_path):
    write_bundle(tmp_path / "other", warmer_bundle())
    models = {"one": blended, "two": tmp_path / "other"}
    out = tmp_path / "out.parquet"
    both, _ = scored(source, out, models, explain=2, cache=tmp_path / "cache")
    for name, model in models.items():
        alone, _ = scored(source, out, model, explain=2)
        assert both[f"{name}_explanation"].equals(alone["explanation"])


def test_text_formats_have_the_words_as_json(blended, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text('text\nrefund the card\n""\n')
    textbatch.score(source, tmp_path / "out.csv", model=blended, explain=2)
    textbatch.score(source, tmp_path / "out.jsonl", model=blended, explain=2)
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert {one["token"] for one in first["explanation"]} < {"refund", "the", "card"}
    assert second["explanation"] is None
    assert '""token""' in (tmp_path / "out.csv").read_text()


def test_a_name_that_is_there_is_refused(blended):
    with textbatch.load(blended) as model, pytest.raises(Exception, match="explanation"):
        model.score_table(pa.table({"text": ["x"], "explanation": ["y"]}), explain=1)
