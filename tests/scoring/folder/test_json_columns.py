"""A folder of JSON Lines has one schema, so that its parts can be read together."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from support.bundles import run_cli

from textbatch import score
from textbatch.data.readers.json_types import JsonTypes
from textbatch.errors import DataError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FileTask

TEXT = "refund my card"


def write(folder: Path, **files: list[dict]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in files.items():
        lines = [json.dumps({"text": TEXT, **row}) for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    return folder


def schemas(folder: Path) -> list[pa.Schema]:
    return [pq.read_schema(path) for path in sorted(folder.glob("*.parquet"))]


FILES = {
    "null and text": ([{"n": None}], [{"n": "vip"}]),
    "whole numbers and fractions": ([{"n": 1}], [{"n": 2.5}]),
    "nothing and a list": ([{"n": None}], [{"n": []}], [{"n": [1]}]),
    "objects with other keys": ([{"n": {"a": 1}}], [{"n": {"b": "x"}}], [{"n": {}}]),
    "objects in lists": ([{"n": [{"a": None}]}], [{"n": [{"a": 0.5}]}]),
    "columns that come later": ([{}], [{"n": 1}], [{"m": True}]),
    "dates": ([{"n": "2026-01-01"}], [{"n": "soon"}]),
    "no value anywhere": ([{"n": None}], [{"n": None}]),
}


@pytest.mark.parametrize("name", FILES)
def test_all_parts_have_the_same_types_whichever_file_comes_first(name, model, tmp_path):
    rows = FILES[name]
    for turn, order in enumerate((rows, rows[::-1])):
        source = write(tmp_path / f"in{turn}", **{f"f{i}": part for i, part in enumerate(order)})
        output = tmp_path / f"out{turn}"
        report = score(source, output, model=model)
        assert report.rows_out == sum(map(len, rows))
        assert not any("other columns or types" in note for note in report.notes)
        first, *others = schemas(output)
        assert all(other.equals(first) for other in others)
        found = ds.dataset(sorted(output.glob("*.parquet"))).to_table().to_pylist()
        assert duckdb.sql(f"select count(*) from '{output}/*.parquet'").fetchall() == [
            (len(found),)
        ]
        assert pl.read_parquet(f"{output}/*.parquet").height == len(found)
        # In the order of the files; keys that a row lacks are nulls.
        for row, given in zip(found, [row for part in order for row in part], strict=True):
            for key, value in given.items():
                held = {} if isinstance(value, dict) else None
                assert row[key] == value or (held == {} and value.items() <= row[key].items())


def test_files_that_do_not_go_together_are_told_before_anything_is_scored(model, tmp_path):
    source = write(tmp_path / "in", a=[{"n": 1}], b=[{"n": "x"}])
    with pytest.raises(DataError, match=r"b\.jsonl has string in column 'n' where .*a\.jsonl has"):
        score(source, tmp_path / "out", model=model)
    assert not (tmp_path / "out").exists()
    with pytest.raises(DataError, match="has string in column 'n'"):
        score(source, tmp_path / "out", model=model, dry_run=True)
    assert score(source, tmp_path / "out", model=model, columns=["text"]).rows_out == 2


def test_new_files_fit_what_is_there(model, tmp_path):
    source = write(tmp_path / "in", a=[{"n": 1.5, "s": None, "o": {"k": 1}}])
    score(source, tmp_path / "out", model=model, incremental=True)
    write(source, b=[{"n": 2, "s": "vip", "o": None, "new": True}], c=[{}])
    report = score(source, tmp_path / "out", model=model, incremental=True)
    assert report.files["scored"] == 2
    a, b, c = schemas(tmp_path / "out")
    names = ["text", "n", "s", "o"]
    assert b.names[:4] == c.names[:4] == a.names[:4] == names
    assert [b.field(name).type for name in names] == [a.field(name).type for name in names]
    assert b.names[4] == c.names[4] == "new"
    again = score(source, tmp_path / "out", model=model, incremental=True)
    assert again.state == "skipped"


def test_new_files_that_do_not_fit_what_is_there_are_refused(model, tmp_path):
    source = write(tmp_path / "in", a=[{"n": 1}])
    score(source, tmp_path / "out", model=model, incremental=True)
    write(source, b=[{"n": 2.5}])
    message = r"b\.jsonl has double in column 'n' where the parts that are there have int64; .*"
    with pytest.raises(DataError, match=message + "--overwrite"):
        score(source, tmp_path / "out", model=model, incremental=True)
    assert [s.field("n").type for s in schemas(tmp_path / "out")] == [pa.int64()]
    score(source, tmp_path / "out", model=model, if_exists="replace")
    assert [s.field("n").type for s in schemas(tmp_path / "out")] == [pa.float64()] * 2


@pytest.mark.parametrize("place", ["part-published", "part-noted"])
def test_a_killed_job_goes_on_with_the_types_it_began_with(place, model, tmp_path):
    source = write(tmp_path / "in", a=[{"n": None}], b=[{"n": 1}], c=[{"n": 2.5}])
    arguments = ("score", source, tmp_path / "out", "--model", model)
    died = 0
    for seed in range(40):
        run = run_cli(*arguments, TEXTBATCH_FAILPOINTS=f"{place}:0.5:{seed}")
        died += run.returncode == -9
        if run.returncode == 0:
            break
    assert died
    assert run.returncode == 0, run.stderr
    assert [s.field("n").type for s in schemas(tmp_path / "out")] == [pa.float64()] * 3


def test_added_and_partition_columns_are_none_of_the_files_own(model, tmp_path):
    flags = {"incremental": True, "partition_columns": True, "prefix": "tb_", "top_k": 1}
    for number, row in enumerate(({"n": 1}, {"n": 2})):
        (tmp_path / "in").mkdir(exist_ok=True)
        write(tmp_path / "in" / f"year=202{number}", f=[row])
        score(tmp_path / "in", tmp_path / "out", model=model, **flags)
    found = [pq.read_schema(p) for p in sorted((tmp_path / "out").rglob("*.parquet"))]
    assert found[0].names == found[1].names
    assert found[0].names[:3] == ["text", "n", "year"]


def test_other_formats_in_the_folder_keep_their_own_types(model, tmp_path):
    source = write(tmp_path / "in", a=[{"n": None}], b=[{"n": 1}])
    (source / "c.csv").write_text(f"text,n\n{TEXT},x\n")
    report = score(source, tmp_path / "out", model=model)
    assert [str(s.field("n").type) for s in schemas(tmp_path / "out")] == [
        "int64", "int64", "string"
    ]  # fmt: skip
    assert any("1 of 3 files have other columns or types" in note for note in report.notes)


def test_the_task_of_a_file_says_its_types_and_can_be_sent(tmp_path):
    types = JsonTypes(schema=pa.schema([("n", pa.float64())]), rows=3)
    config = ScoreConfig(inputs=(tmp_path / "a.jsonl",), output=tmp_path / "out.parquet")
    task = FileTask(
        config=config, run_id="1", input=tmp_path / "a.jsonl", output=tmp_path / "o", read_as=types
    )
    assert pickle.loads(pickle.dumps(task)) == task
    other = FileTask(config=config, run_id="1", input=task.input, output=task.output)
    assert task.decisive("text") != other.decisive("text")
