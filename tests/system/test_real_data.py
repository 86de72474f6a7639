"""The promises on real texts; skipped where the data sets are missing. Takes minutes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.killable_job import FULL

import textbatch
from textbatch.types import Status


@pytest.fixture(scope="module")
def news_model(data_folder, tmp_path_factory) -> Path:
    """The default preset, trained once on some of the news; `FAULTS=full` takes all, with folds.

    With one split the same network answers; folds, one after the other, would take six minutes.
    """
    folder = tmp_path_factory.mktemp("news")
    rows = pq.read_table(data_folder / "agnews-4600-train.parquet")
    pq.write_table(rows if FULL else rows.slice(0, 1_500), folder / "train.parquet")
    textbatch.train(folder / "train.parquet", model=folder / "model", quick=not FULL)
    return folder / "model"


@pytest.fixture(scope="module")
def tweets(data_folder) -> pa.Table:
    return pq.read_table(data_folder / "tweeteval-emoji-test.parquet")


def scored(source: Path, output: Path, model: Path, **settings) -> pa.Table:
    report = textbatch.score(source, output, model=model, probabilities=True, **settings)
    table = pq.read_table(output)
    assert report.rows_in == report.rows_out == len(table)
    return table


def test_the_default_preset_reads_the_news(news_model, data_folder):
    found = textbatch.evaluate(data_folder / "agnews-3000-test.parquet", model=news_model)
    assert found.metrics.rows == 3000
    assert found.metrics.accuracy >= 0.85
    assert found.metrics.macro_f1 >= 0.85
    assert found.ece_after <= 0.05


def test_both_engines_agree_on_every_text(news_model, data_folder):
    texts = pq.read_table(data_folder / "agnews-3000-test.parquet")["text"].to_pylist()
    answers = []
    for engine in ("onnx", "tensorflow"):
        with textbatch.load(news_model, engine=engine) as model:
            answers.append(model.predict(texts))
    onnx, tensorflow = answers
    assert np.array_equal(onnx.status, tensorflow.status)
    evidence = onnx.status < Status.NO_KNOWN_TOKENS
    assert evidence.sum() > 2990
    gap = np.abs(onnx.probabilities - tensorflow.probabilities)[evidence]
    assert gap.max() <= 1e-5


def test_fifty_thousand_tweets_go_through_untouched_whatever_the_chunks(
    news_model, data_folder, tweets, tmp_path
):
    source = data_folder / "tweeteval-emoji-test.parquet"
    plain = scored(source, tmp_path / "plain.parquet", news_model)
    assert len(plain) == 50_000
    assert plain.select(["id", "text", "label"]).equals(tweets.select(["id", "text", "label"]))
    assert len(set(plain["predicted_label"].to_pylist()) - {None}) == 4
    for chunk_rows in (1_000, 100_000):
        output = tmp_path / f"{chunk_rows}.parquet"
        assert scored(source, output, news_model, chunk_rows=chunk_rows).equals(plain)


@pytest.mark.parametrize(
    ("rows", "settings"),
    [
        (3000, {"chunk_rows": 7}),
        (500, {"batch_tokens": 1}),
        (3000, {"batch_tokens": 4096}),
        (3000, {"batch_tokens": 100_000}),
        (3000, {"threads": 1}),
    ],
)
def test_a_tweets_answer_is_its_own(news_model, tweets, tmp_path, rows, settings):
    source = tmp_path / "in.parquet"
    pq.write_table(tweets.slice(0, rows), source)
    plain = scored(source, tmp_path / "plain.parquet", news_model)
    other = scored(source, tmp_path / "other.parquet", news_model, **settings)
    assert other.equals(plain)
