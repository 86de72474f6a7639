"""What is told beside a label: the same columns and bits from files, processes and engines."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import LABELS, blended_bundle, random_texts, with_novelty, write_bundle

import textbatch
from textbatch.model.predictor import open_bundle
from textbatch.model.quality.thresholds import HeldOut
from textbatch.scoring.scorer import Scorer

#: With long texts in windows, and without.
ASKED = [
    {"label_sets": 0.9, "novelty": True, "explain": 2, "on_long": "window"},
    {"label_sets": 0.8, "max_novelty": 0.2, "on_long": "head-tail", "top_k": 2},
    {"explain": 1, "novelty": True, "on_long": "tail", "probabilities": True},
]


@pytest.fixture(scope="module")
def knowing(tmp_path_factory):
    """A model that can tell all of it."""
    bundle = with_novelty(blended_bundle())
    texts = pa.array(random_texts(600, seed=11), pa.large_string())
    with open_bundle(bundle) as predictor:
        found = predictor.predict(texts).probabilities
    known = np.isfinite(found[:, 0])
    true = np.random.default_rng(2).integers(0, len(LABELS), int(known.sum()))
    bundle = replace(bundle, held_out=HeldOut.of(found[known], true))
    return write_bundle(tmp_path_factory.mktemp("knowing") / "model", bundle)


@pytest.fixture(scope="module")
def rows():
    texts = [*random_texts(90, longest=50), None, "", "zzz"]
    return pa.table({"id": range(len(texts)), "text": pa.array(texts, pa.string())})


@pytest.mark.parametrize("asked", ASKED, ids=lambda one: "-".join(one))
def test_jobs_and_scorers_give_the_columns_and_bits_of_a_plain_run(knowing, rows, tmp_path, asked):
    source = tmp_path / "in.parquet"
    pq.write_table(rows, source)
    plain = textbatch.score(source, tmp_path / "plain.parquet", model=knowing, **asked)
    told = {"chunk_rows": 20, "jobs": 2, "threads": 2}
    spread = textbatch.score(source, tmp_path / "spread.parquet", model=knowing, **told, **asked)
    expected = pq.read_table(tmp_path / "plain.parquet")
    assert pq.read_table(tmp_path / "spread.parquet").equals(expected)
    assert spread.statuses == plain.statuses
    assert plain.statuses.get("windowed" if asked["on_long"] == "window" else "truncated")
    # What Spark, Ray and Dask send to their workers, which see a part of the rows each.
    sent = pickle.loads(pickle.dumps(Scorer(knowing, **asked)))
    parts = [sent(rows.slice(start, 31)) for start in range(0, len(rows), 31)]
    found = pa.concat_tables(parts)
    assert found.schema.names == expected.schema.names
    assert found.to_pylist() == expected.to_pylist()
