"""Delta tables as the input of a folder job."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

deltalake = pytest.importorskip("deltalake")


def rows(*ids: int) -> pa.Table:
    return pa.table({"id": pa.array(ids, pa.int64()), "text": [f"text {i}" for i in ids]})


@pytest.fixture
def job(model, tmp_path):
    """Scores the table; gives the ids of the output and the report's notes."""

    def run(**settings: object) -> tuple[list[int], list[str]]:
        place = {"inputs": (tmp_path / "t",), "output": tmp_path / "out"}
        report = score(ScoreConfig(**place, model=model, **settings))
        return sorted(pq.read_table(tmp_path / "out")["id"].to_pylist()), report.notes

    return run


@pytest.fixture
def table(tmp_path):
    deltalake.write_deltalake(tmp_path / "t", rows(1, 2, 3))
    changed = deltalake.DeltaTable(tmp_path / "t")
    changed.delete("id = 2")
    return changed


def test_deleted_rows_do_not_come_back(table, job):
    ids, notes = job()
    assert ids == [1, 3]
    assert "is a Delta table: its version 1 is read, 1 files that are not part" in notes[0]


def test_new_files_are_added_and_rewritten_ones_are_not(table, job, tmp_path, in_process, model):
    job()
    deltalake.write_deltalake(tmp_path / "t", rows(4), mode="append")
    assert job(incremental=True)[0] == [1, 3, 4]
    table.update_incremental()
    table.delete("id = 3")
    run = in_process("score", tmp_path / "t", tmp_path / "out", "--model", model, "--incremental")
    assert run.returncode == 65
    assert "the table has changed 1 files that were scored before" in run.stderr
    assert sorted(pq.read_table(tmp_path / "out")["id"].to_pylist()) == [1, 3, 4]
    assert job(if_exists="replace")[0] == [1, 4]


def test_a_dead_file_of_a_table_is_refused(table, tmp_path, in_process, model):
    alive = {tmp_path / "t" / uri.rpartition("/")[2] for uri in table.file_uris()}
    (dead,) = set((tmp_path / "t").glob("*.parquet")) - alive
    run = in_process("score", dead, tmp_path / "out.parquet", "--model", model)
    assert (run.returncode, "no longer part of the Delta table" in run.stderr) == (65, True)
    assert not (tmp_path / "out.parquet").exists()
    (live,) = alive
    assert in_process("score", live, tmp_path / "o.parquet", "--model", model).returncode == 0
