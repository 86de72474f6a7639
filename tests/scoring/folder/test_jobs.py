"""The files of a folder, spread over processes: the same bytes, whoever scored them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import joblib
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts, write_texts

import textbatch
from textbatch.errors import ConflictError, DataError, TooManyBadRowsError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score
from textbatch.scoring.verify import verify_output


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for number in range(7):
        place = folder / "in" / f"day=0{number % 3}" / f"f{number}.parquet"
        place.parent.mkdir(parents=True, exist_ok=True)
        write_texts(place, random_texts(30 + 10 * number, seed=number))
    return folder


def bytes_of(output: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(output.rglob("*.parquet")):
        digest.update(str(path.relative_to(output)).encode() + path.read_bytes())
    return digest.hexdigest()


def test_any_number_of_workers_writes_the_same_bytes(folder, model, tmp_path, monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 3)
    found, told = set(), set()
    for jobs in (1, 2, 3):
        output = tmp_path / f"out{jobs}"
        values = {"inputs": folder / "in", "output": output, "model": model, "jobs": jobs}
        done = score(ScoreConfig.given(values), run_id="0123456789abcdef")
        assert done.engine == "onnx"
        assert done.files["scored"] == 7
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            f"out{number}" for number in range(1, jobs + 1)
        ]
        found.add(bytes_of(output))
        told.add(json.dumps([done.rows_out, done.statuses, done.labels, done.tokens]))
        assert verify_output(output, model=model).parts == 7
    assert len(found) == 1
    assert len(told) == 1


def test_a_damaged_file_fails_alone_and_the_rerun_scores_it_only(folder, model, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for number in range(5):
        write_texts(source / f"f{number}.parquet", random_texts(40, seed=number))
    sound = (source / "f1.parquet").read_bytes()
    half = len(sound) // 3
    (source / "f1.parquet").write_bytes(sound[:half] + bytes(64) + sound[half + 64 :])
    output = tmp_path / "out"
    with pytest.raises(DataError, match=r"f1\.parquet"):
        textbatch.score(source, output, model=model, jobs=2)
    assert sorted(path.name for path in output.glob("*.parquet")) == [
        f"f{number}.parquet" for number in (0, 2, 3, 4)
    ]
    assert not (output / "_SUCCESS").exists()
    (source / "f1.parquet").write_bytes(sound)
    done = textbatch.score(source, output, model=model, jobs=2)
    assert done.files["scored"] == 1
    assert done.rows_resumed == 160
    assert (output / "_SUCCESS").exists()


def test_bad_rows_are_counted_over_all_workers(model, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for number in range(4):
        texts = [b"caf\xe9" if row % 10 == 0 else b"refund" for row in range(20)]
        pq.write_table(
            pa.table({"text": pa.array(texts, pa.binary())}), source / f"f{number}.parquet"
        )
    with pytest.raises(TooManyBadRowsError):
        textbatch.score(source, tmp_path / "few", model=model, jobs=2, max_bad_rows=5)
    assert not (tmp_path / "few" / "_SUCCESS").exists()
    done = textbatch.score(source, tmp_path / "enough", model=model, jobs=2, max_bad_rows=8)
    assert done.rows_out == 80


def test_several_processes_do_not_share_a_gpu(folder, tmp_path):
    values = {"inputs": folder / "in", "output": tmp_path / "out", "jobs": 2, "device": "gpu"}
    with pytest.raises(ConflictError, match="--jobs is for CPUs"):
        ScoreConfig.given(values)
