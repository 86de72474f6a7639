"""`score --cache`: the same output, whatever is in the cache."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from support.bundles import exiting_bundle, random_texts, write_bundle, write_texts

import textbatch
from textbatch.errors import ConflictError
from textbatch.scoring.cache_options import CACHE_FILE


@pytest.fixture(scope="module")
def early_model(tmp_path_factory):
    return write_bundle(tmp_path_factory.mktemp("early") / "model", exiting_bundle())


@pytest.fixture
def job(tmp_path):
    source = write_texts(tmp_path / "in.parquet", random_texts(700, seed=3))

    def run(name: str, model, source=source, **settings):
        report = textbatch.score(
            source, tmp_path / name, model=model, probabilities=True, **settings
        )
        return report, pq.read_table(tmp_path / name)

    return run


@pytest.mark.parametrize("way", [{}, {"precision": "int8"}, {"early_exit": True}, {"threads": 1}])
@pytest.mark.parametrize("chunk_rows", [64, 1000])
def test_the_second_run_computes_nothing_and_writes_the_same_bits(
    job, early_model, tmp_path, way, chunk_rows
):
    way = {**way, "chunk_rows": chunk_rows}
    _, plain = job("plain.parquet", early_model, **way)
    first, filled = job("first.parquet", early_model, cache=tmp_path / "cache", **way)
    second, taken = job("second.parquet", early_model, cache=tmp_path / "cache", **way)
    assert plain.equals(filled)
    assert plain.equals(taken)
    texts = 700 - plain["text"].null_count
    assert second.rows_cached == texts
    assert second.tokens == 0
    assert first.rows_cached < texts
    assert first.statuses == second.statuses == job("x.parquet", early_model, **way)[0].statuses


def test_a_half_known_file_gets_the_same_bits(job, early_model, tmp_path):
    half = write_texts(tmp_path / "half.parquet", random_texts(700, seed=3)[:300])
    job("half-out.parquet", early_model, source=half, cache=tmp_path / "cache")
    report, table = job("out.parquet", early_model, cache=tmp_path / "cache")
    _, plain = job("plain.parquet", early_model)
    assert table.equals(plain)
    assert 250 < report.rows_cached < 700


def test_nothing_is_taken_from_another_model_or_precision(job, early_model, model, tmp_path):
    cache = tmp_path / "cache"
    job("a.parquet", early_model, cache=cache)
    for name, other in (
        ("b", {"model": model}),
        ("c", {"model": early_model, "precision": "int8"}),
        ("d", {"model": early_model, "early_exit": True}),
    ):
        report, table = job(f"{name}.parquet", cache=cache, **other)
        assert table.equals(job(f"{name}-plain.parquet", **other)[1])
        assert report.rows_cached < 200, name  # only texts that the file repeats


def test_several_models_in_one_pass(job, early_model, model, tmp_path):
    both = [f"one={early_model}", f"two={model}"]
    _, plain = job("plain.parquet", both)
    job("first.parquet", both, cache=tmp_path / "cache")
    report, table = job("second.parquet", both, cache=tmp_path / "cache")
    assert table.equals(plain)
    assert report.rows_cached == 700 - plain["text"].null_count
    # Of one of them alone nothing is kept, and its answers are its own.
    _, alone = job("alone.parquet", early_model, cache=tmp_path / "cache")
    assert alone.equals(job("alone-plain.parquet", early_model)[1])


def test_a_damaged_cache_changes_no_bit(job, model, tmp_path):
    _, plain = job("plain.parquet", model)
    job("a.parquet", model, cache=tmp_path / "cache")
    (tmp_path / "cache" / CACHE_FILE).write_bytes(b"damaged" * 5000)
    for name in ("b.parquet", "c.parquet"):
        _, table = job(name, model, cache=tmp_path / "cache")
        assert table.equals(plain)


def test_a_folder_with_jobs_shares_it(job, model, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        write_texts(folder / f"{number}.parquet", random_texts(200, seed=number % 2))
    settings = {"model": model, "jobs": 2, "cache": tmp_path / "cache"}
    textbatch.score(folder, f"{tmp_path}/one/", **settings)
    report = textbatch.score(folder, f"{tmp_path}/two/", **settings)
    nulls = sum(pq.read_table(path)["text"].null_count for path in folder.iterdir())
    assert report.rows_cached == 600 - nulls
    one, two = (
        pq.read_table(tmp_path / name / "1.parquet").drop_columns([]) for name in ("one", "two")
    )
    assert one.equals(two)


def test_a_size_without_a_place_is_refused(job, model):
    with pytest.raises(ConflictError, match="--cache-mib needs --cache"):
        job("out.parquet", model, cache_mib=5)
