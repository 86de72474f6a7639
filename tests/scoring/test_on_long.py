from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from support.bundles import blended_bundle, random_texts, write_bundle, write_texts

import textbatch


@pytest.fixture(scope="module")
def blended(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model"
    write_bundle(path, blended_bundle())
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "in.parquet"
    return write_texts(path, random_texts(60, longest=60))


def answers(source, folder, model, **settings):
    out = folder / "out.parquet"
    report = textbatch.score(source, out, model=model, if_exists="replace", **settings)
    table = pq.read_table(out)
    return table.select(["predicted_label", "confidence", "status"]).to_pylist(), report


@pytest.mark.parametrize("on_long", ["tail", "head-tail", "window"])
def test_the_bits_are_the_same_whatever_chunks_processes_and_cache(
    on_long, source, blended, tmp_path
):
    whole, report = answers(source, tmp_path, blended, on_long=on_long)
    assert whole == answers(source, tmp_path, blended, on_long=on_long, chunk_rows=7)[0]
    cached = {"on_long": on_long, "cache": tmp_path / "cache"}
    assert whole == answers(source, tmp_path, blended, **cached)[0]
    again, from_cache = answers(source, tmp_path, blended, **cached)
    assert again == whole
    assert from_cache.rows_cached
    # What was kept of another way to read long texts is of no use.
    other, _ = answers(source, tmp_path, blended, on_long="head", cache=tmp_path / "cache")
    assert other != whole
    status = "windowed" if on_long == "window" else "truncated"
    assert report.statuses[status] == sum(row["status"] == status for row in whole) > 10
    assert sum(report.labels.values()) == report.statuses["ok"] + report.statuses[status]


def test_a_table_gets_the_answers_of_the_file(source, blended, tmp_path):
    whole, _ = answers(source, tmp_path, blended, on_long="window")
    table = pq.read_table(source)
    with textbatch.load(blended, on_long="window") as model:
        there = model.score_table(table)
    assert there.select(["predicted_label", "confidence", "status"]).to_pylist() == whole
