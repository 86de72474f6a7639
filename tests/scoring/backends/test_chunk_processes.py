"""One file in several processes: the same bytes, whatever dies."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pyarrow as pa
import pytest
from support.bundles import random_bundle, random_texts, write_bundle, write_texts
from support.dying import failing, serve_and_die

from textbatch.data.output.answer_counts import WorkCounts
from textbatch.errors import BundleError, OutOfMemoryError
from textbatch.model.predictor import open_bundle
from textbatch.model.predictors import open_bundles
from textbatch.scoring.backends.chunk_processes import ChunkProcesses
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

ROWS = 700


@pytest.fixture(autouse=True)
def cores(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 3)


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    texts = random_texts(ROWS, seed=4)
    return write_texts(tmp_path_factory.mktemp("one") / "in.parquet", texts)


def scored(source: Path, output: Path, model: object, **options):
    values = {"inputs": source, "output": output, "model": model, "chunk_rows": 90, **options}
    return score(ScoreConfig.given(values), run_id="0123456789abcdef")


def test_any_number_of_workers_writes_the_same_bytes(source, model, tmp_path):
    found, told = set(), []
    for jobs in (1, 3):
        output = tmp_path / f"{jobs}.parquet"
        done = scored(source, output, model, jobs=jobs, probabilities=True).to_dict()
        found.add(output.read_bytes())
        own = {"output", "started", "seconds", "rows_per_second"}
        told.append({name: value for name, value in done.items() if name not in own})
    assert len(found) == 1
    assert told[0] == told[1]
    assert told[0]["tokens"] > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{n}.parquet" for n in (1, 3)]


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl.gz"])
def test_a_text_file_has_the_same_bytes_with_one_process_and_with_several(name, model, tmp_path):
    texts = [text or "" for text in random_texts(300, seed=8)]
    frame = pa.table({"id": list(range(300)), "text": texts}).to_pandas()
    if name.endswith("csv"):
        frame.to_csv(tmp_path / name, index=False)
    else:
        frame.to_json(tmp_path / name, orient="records", lines=True)
    found = set()
    for jobs in (1, 2):
        # The output has the format of the input, and where that is text a record beside it.
        output = tmp_path / f"out{jobs}" / name.removesuffix(".gz")
        output.parent.mkdir()
        done = scored(tmp_path / name, output, model, jobs=jobs, threads=1)
        assert done.rows_out == 300
        beside = sorted(output.parent.iterdir())
        found.add(b"".join(path.read_bytes() for path in beside))
        assert len(beside) == 2
    assert len(found) == 1


def test_workers_predict_with_several_models(source, model, tmp_path):
    other = random_bundle(words=("refund", "card"), labels=("good", "bad"), seed=4)
    models = {"topic": model, "tone": write_bundle(tmp_path / "tone", other)}
    found, told = set(), []
    for jobs in (1, 2):
        output = tmp_path / f"{jobs}.parquet"
        done = scored(source, output, models, jobs=jobs, top_k=1)
        found.add(output.read_bytes())
        told.append(done.models)
    assert len(found) == 1
    assert told[0] == told[1]
    assert told[0][1].tokens > 0


def test_a_folder_of_one_text_file_and_its_quarantine_are_the_same(model, tmp_path):
    texts = [b"caf\xe9" if row % 100 == 7 else b"refund invoice %d" % row for row in range(400)]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "f.csv").write_bytes(b"text\n" + b"\n".join(texts) + b"\n")
    found = []
    for jobs in (1, 2):
        output, bad = tmp_path / "out", tmp_path / "bad"
        options = {"quarantine": bad, "max_bad_rows": 4, "as_folder": True, "threads": 1}
        done = scored(tmp_path / "in", output, model, jobs=jobs, **options)
        assert (done.rows_out, done.rows_quarantined) == (396, 4)
        (part,) = output.glob("*.parquet")
        (rows,) = bad.glob("*.jsonl")
        found.append((rows.read_bytes(), part.read_bytes()))
        output.rename(tmp_path / f"out{jobs}")
        bad.rename(tmp_path / f"bad{jobs}")
    assert found[0] == found[1]


@pytest.fixture(scope="module")
def texts() -> pa.Array:
    return pa.array(random_texts(600, seed=1), pa.large_string())


def test_a_worker_that_dies_once_changes_nothing(bundle, texts, tmp_path, monkeypatch):
    monkeypatch.setenv("TEXTBATCH_TEST_DEATHS", str(tmp_path / "deaths"))
    chunks = [texts[at : at + 100] for at in range(0, 600, 100)]
    opened = partial(open_bundles, ("",), (bundle,), threads=1)
    with open_bundle(bundle, threads=1) as here:
        expected = [here.predict(one) for one in chunks]
    many = ChunkProcesses(opened, 4, workers=2, threads=2, serve=serve_and_die)
    try:
        begun = [many.start(one) for one in chunks]
        begun.append(many.start(texts[:0]))
        found = [one.result() for one in begun]
        assert many.engine.precision == "f32"
        assert many.work == [
            WorkCounts(tokens=here.seen.tokens, unknown=here.seen.unknown, spread=here.seen)
        ]
    finally:
        many.close()
    assert len(found.pop()) == 0
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one.probabilities, other.probabilities, equal_nan=True)
        assert np.array_equal(one.status, other.status)
    assert len((tmp_path / "deaths").read_text().split()) >= 1
    for pid in (tmp_path / "deaths").read_text().split():
        assert not Path(f"/proc/{pid}").exists()


def test_rows_that_kill_each_worker_are_an_error(bundle, monkeypatch):
    monkeypatch.setenv("TEXTBATCH_TEST_DEATHS", os.devnull)
    opened = partial(open_bundles, ("",), (bundle,), threads=1)
    many = ChunkProcesses(opened, 4, workers=1, threads=1, serve=serve_and_die)
    try:
        begun = many.start(pa.array(["refund", "invoice"]))
        with pytest.raises(OutOfMemoryError, match=r"3 worker .* 2 rows.*SIGKILL.*--jobs"):
            begun.result()
    finally:
        many.close()


def test_a_model_that_cannot_be_opened_is_told():
    many = ChunkProcesses(failing, 4, workers=2, threads=1)
    try:
        with pytest.raises(BundleError, match="golden rows are off; train"):
            many.start(pa.array(["refund"])).result()
        with pytest.raises(BundleError):
            assert many.engine
        assert many.known_engine is None
    finally:
        many.close()


#: In a process of its own, in which nothing has started a process before.
FRESH = """
import pyarrow as pa
from support.dying import serve_its_signals
from textbatch.scoring.backends.chunk_processes import ChunkProcesses
many = ChunkProcesses(print, 4, workers=1, threads=1, serve=serve_its_signals)
print(many.start(pa.array(["refund"])).chunk.future.exception())
many.close()
"""


def test_ctrl_c_reaches_no_worker_not_even_while_it_starts():
    here = Path(__file__).parents[2]
    paths = os.pathsep.join(filter(None, (str(here), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-c", FRESH],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.stdout == "blocked: True\n"
