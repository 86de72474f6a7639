"""`score` into CSV and JSON Lines, and to standard output."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.output.any_output import check_any_seal, files_of
from textbatch.data.output.output_format import find_format
from textbatch.data.output.read_back import rows_back
from textbatch.data.readers.source import open_source
from textbatch.data.storage.file_io import new_input
from textbatch.errors import ConflictError, DataError, OutputError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.inspect import inspect_path
from textbatch.scoring.score import score
from textbatch.scoring.verify import verify_output

CELLS = [
    ["007", "the card", "", "a,b"],
    ["NA", 'refund "now"', " x ", "=1+1"],
    ["1e5", "two\r\nlines of login", "'", "\t"],
    ["", "zzz qqq", "null", "\r"],
    ["ü", "", "#", "文本 \U0001f600"],
]
NAMES = ["id", "text", "note", 'odd, "name"']


@pytest.fixture
def cells(tmp_path):
    path = tmp_path / "in.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([NAMES, *CELLS])
    return path


def run(source, output, model, **options):
    return score(ScoreConfig(inputs=(source,), output=output, model=model, **options))


def read(path):
    return list(rows_back(new_input(path), find_format(path)))


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.csv.gz", "out.jsonl", "out.jsonl.zst"])
def test_every_cell_comes_out_as_it_went_in(name, cells, model, tmp_path):
    output = tmp_path / name
    report = run(cells, output, model)
    assert [[row[name] for name in NAMES] for row in read(output)] == CELLS
    assert report.seal == check_any_seal(output)
    verified = verify_output(output)
    assert verified.statuses == report.statuses
    assert verified.labels == report.labels
    assert verified.rows == report.rows_out == 5
    found = inspect_path(output)
    assert (found.rows, found.labels) == (5, report.labels)
    assert found.columns["confidence"] == "float"


def test_csv_from_csv_changes_nothing_but_the_new_cells(model, tmp_path):
    source = tmp_path / "in.csv"
    source.write_bytes(b'id,text,x\n1,the card,\n2,"a, b",7.50\n')
    run(source, tmp_path / "out.csv", model, columns=("id", "text", "x"))
    lines = (tmp_path / "out.csv").read_bytes().split(b"\n")
    before = source.read_bytes().split(b"\n")
    assert all(line.startswith(old + b",") for line, old in zip(lines, before[:-1], strict=False))


def test_what_is_written_scores_again_to_the_same_answers(input_file, model, tmp_path):
    run(input_file, tmp_path / "one.parquet", model)
    expected = pq.read_table(tmp_path / "one.parquet").select(["id", "confidence", "status"])
    for name in ("one.csv", "one.jsonl"):
        run(input_file, tmp_path / name, model)
        again = tmp_path / f"again-of-{name}.parquet"
        run(tmp_path / name, again, model, prefix="b_")
        found = pq.read_table(again)
        # In CSV a null text is an empty one.
        if name == "one.jsonl":
            answers = found.select(["id", "b_confidence", "b_status"])
            assert answers.rename_columns(expected.column_names).to_pylist() == expected.to_pylist()
        assert found["b_confidence"].to_pylist() == expected["confidence"].to_pylist()


def test_other_programs_read_the_same(input_file, model, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    polars = pytest.importorskip("polars")
    run(input_file, tmp_path / "out.parquet", model, probabilities=True, top_k=2)
    expected = pq.read_table(tmp_path / "out.parquet")
    plain = ["id", "text", "predicted_label", "confidence", "status"]
    wanted = expected.select(plain).to_pylist()
    for name in ("out.csv", "out.csv.gz", "out.jsonl"):
        run(input_file, tmp_path / name, model, probabilities=True, top_k=2)
    for name in ("out.csv", "out.csv.gz"):
        path = str(tmp_path / name)
        frame = polars.read_csv(path, infer_schema_length=None)
        assert [round_trip(row) for row in frame.select(plain).to_dicts()] == list(
            map(round_trip, wanted)
        )
        read_by_pandas = pd.read_csv(path, keep_default_na=False, dtype=str)
        assert read_by_pandas["text"].tolist() == [row["text"] or "" for row in wanted]
        assert list(map(json.loads, filter(None, read_by_pandas["probabilities"]))) == [
            pytest.approx(one, abs=1e-7)
            for one in expected["probabilities"].to_pylist()
            if one is not None
        ]
    frame = polars.read_ndjson(tmp_path / "out.jsonl", infer_schema_length=None)
    assert list(map(round_trip, frame.select(plain).to_dicts())) == list(map(round_trip, wanted))
    rows = duckdb.sql(f"select * from read_json('{tmp_path / 'out.jsonl'}')").arrow()
    rows = rows if isinstance(rows, pa.Table) else rows.read_all()
    assert list(map(round_trip, rows.select(plain).to_pylist())) == list(map(round_trip, wanted))
    counted = duckdb.sql(
        f"select status, count(*) from read_csv('{tmp_path / 'out.csv'}', header = true) group by 1"
    ).fetchall()
    assert dict(counted) == Counter(expected["status"].to_pylist())


def round_trip(row):
    confidence = row["confidence"]
    short = None if confidence is None else float(np.float32(confidence))
    return row | {"confidence": short}


def test_the_same_bits_whatever_the_chunks_and_threads(input_file, model, tmp_path):
    for name in ("out.csv", "out.jsonl.gz", "out.csv.zst"):
        contents = set()
        for options in ({}, {"chunk_rows": 7}, {"threads": 1, "batch_tokens": 50}):
            run(input_file, tmp_path / name, model, if_exists="replace", top_k=2, **options)
            contents.add((tmp_path / name).read_bytes())
        assert len(contents) == 1


def test_the_reader_reads_what_was_written(cells, model, tmp_path):
    run(cells, tmp_path / "out.csv", model)
    source = open_source(tmp_path / "out.csv")
    (batch,) = source.batches(NAMES, 100)
    assert [list(row.values()) for row in batch.to_pylist()] == CELLS


def test_rows_in_quarantine_leave_csv_too(model, tmp_path):
    source = tmp_path / "in.csv"
    source.write_bytes(b"id,text\n1,the card\n2,a,b\n3,login\n")
    report = run(
        source, tmp_path / "out.csv", model, quarantine=tmp_path / "bad.jsonl", max_bad_rows=1
    )
    assert (report.rows_in, report.rows_out, report.rows_quarantined) == (3, 2, 1)
    assert [row["id"] for row in read(tmp_path / "out.csv")] == ["1", "3"]
    assert verify_output(tmp_path / "out.csv").rows_quarantined == 1


def test_skip_wants_the_whole_output_of_this_job(cells, model, tmp_path):
    output = tmp_path / "out.csv"
    run(cells, output, model)
    assert run(cells, output, model, if_exists="skip").state == "skipped"
    whole = output.read_bytes()
    for changed in (whole.replace(b"007", b"008"), whole + b"\n", b""):
        output.write_bytes(changed)
        with pytest.raises(OutputError, match="has changed since it was made"):
            run(cells, output, model, if_exists="skip")
    output.write_bytes(whole)
    assert run(cells, output, model, if_exists="skip").state == "skipped"
    files_of(output)[0].unlink()
    with pytest.raises(OutputError, match="exists"):
        run(cells, output, model, if_exists="skip")
    with pytest.raises(OutputError, match="exists"):
        run(cells, output, model, top_k=1)
    with pytest.raises(DataError, match="is not beside it"):
        verify_output(output)
    run(cells, output, model, if_exists="replace")
    verify_output(output)


def test_parquet_under_another_name_of_an_older_textbatch_is_still_known(cells, model, tmp_path):
    run(cells, tmp_path / "out.parquet", model)
    old = tmp_path / "out.csv"
    (tmp_path / "out.parquet").rename(old)
    assert verify_output(old).rows == inspect_path(old).rows == 5
    assert run(cells, old, model, if_exists="skip").state == "skipped"


@pytest.mark.parametrize("name", ["out", "out.txt", "out.xlsx", "out.parquet.gz"])
def test_a_name_without_a_format_is_refused_before_the_model_is_read(name, cells, tmp_path):
    with pytest.raises(ConflictError, match=r"ends in \.parquet, \.csv or \.jsonl"):
        run(cells, tmp_path / name, tmp_path / "no-model")


def test_bytes_are_refused_also_in_a_dry_run(model, tmp_path):
    source = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": ["the card"], "raw": [b"\xff"]}), source)
    for options in ({}, {"dry_run": True}):
        with pytest.raises(DataError, match=r"column 'raw' holds bytes.*--columns"):
            run(source, tmp_path / "out.csv", model, **options)
    run(source, tmp_path / "out.csv", model, columns=("text",))
    assert list(read(tmp_path / "out.csv")[0]) == [
        "text",
        "predicted_label",
        "confidence",
        "status",
    ]


@pytest.mark.parametrize(
    ("given", "flags", "kind"),
    [
        ("in.csv", (), "csv"),
        ("in.csv", ("--output-format", "jsonl"), "jsonl"),
        ("in.parquet", (), "jsonl"),
        ("in.parquet", ("--output-format", "csv"), "csv"),
    ],
)
def test_rows_go_to_standard_output(given, flags, kind, cells, model, tmp_path, in_process):
    run(cells, tmp_path / "in.parquet", model, columns=("id", "text"), prefix="old_")
    source = tmp_path / given
    run(source, tmp_path / f"file.{kind}", model)
    done = in_process("score", source, "-", "--model", model, *flags)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (tmp_path / f"file.{kind}").read_bytes().decode()
    assert "-: 5 rows in" in done.stderr


def test_nothing_is_printed_of_a_run_that_fails(model, tmp_path, in_process):
    source = tmp_path / "in.csv"
    source.write_bytes(b"text\n" + b"the card\n" * 5000 + b'a,"b\n')
    done = in_process("score", source, "-", "--model", model, "--chunk-rows", "100")
    assert (done.returncode, done.stdout) == (65, "")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("-", "--json"), "both go to standard output"),
        (("out.csv", "--output-format", "csv"), "is for standard output"),
        (("-", "--incremental"), "takes the rows of one file"),
    ],
)
def test_what_does_not_go_with_standard_output(flags, told, cells, model, in_process):
    done = in_process("score", cells, *flags, "--model", model)
    assert done.returncode == 64
    assert told in done.stderr


def test_a_reader_that_ends_early_is_no_error(cells, model, in_process, monkeypatch):
    class Closed:
        def write(self, data):
            raise BrokenPipeError

        def flush(self):
            pass

    monkeypatch.setattr("textbatch.scoring.stdout_output.stdout", Closed)
    monkeypatch.setattr("textbatch.cli.app.drop_stdout", lambda: None)
    assert sys.stdout
    assert in_process("score", cells, "-", "--model", model).returncode == 0


def test_an_altered_output_is_told_by_inspect_too(cells, model, tmp_path):
    output = tmp_path / "out.jsonl"
    run(cells, output, model)
    record = files_of(output)[0]
    whole, told = output.read_bytes(), record.read_text()
    for content in (
        whole.replace(b'"status":"', b'"status":["ok"],"x":"'),
        whole[:-3],
        b"[1]\n",
        b"\xff\n",
    ):
        output.write_bytes(content)
        with pytest.raises(DataError, match=r"changed|damaged"):
            inspect_path(output)
    output.write_bytes(whole)
    for altered in ("", "{}", told.replace('"columns"', '"rows"'), told.replace("ok", "\\ud800")):
        record.write_text(altered)
        with pytest.raises(DataError):
            inspect_path(output)
