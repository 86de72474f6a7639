from __future__ import annotations

import csv
import json

import pyarrow.parquet as pq
import pytest

from textbatch.cli.demo.files import LABELLED, NEW, NEW_CSV, TEXTS, write_files
from textbatch.errors import OutputError


def test_the_files_hold_what_the_pages_say(tmp_path):
    told = write_files(tmp_path / "new", labelled_rows=30, new_rows=200)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(
        (LABELLED, NEW, NEW_CSV, TEXTS)
    )
    assert all(str(tmp_path / "new") in line for line in told)
    with (tmp_path / "new" / LABELLED).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 30
    assert all(row["body"] and row["queue"] for row in rows)
    table = pq.read_table(tmp_path / "new" / NEW)
    assert table.column_names == ["id", "body"]
    assert table["body"].null_count
    with (tmp_path / "new" / NEW_CSV).open(newline="") as file:
        same = [row["body"] or None for row in csv.DictReader(file)]
    assert [text or None for text in table["body"].to_pylist()] == same
    lines = (tmp_path / "new" / TEXTS).read_text("utf-8").splitlines()
    assert all(line.strip() for line in lines)


def test_files_that_are_there_stay_and_none_is_written(tmp_path):
    (tmp_path / TEXTS).write_text("mine")
    (tmp_path / "other").write_text("mine too")
    with pytest.raises(OutputError, match=r"texts\.txt exists"):
        write_files(tmp_path, labelled_rows=3, new_rows=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", TEXTS]
    write_files(tmp_path, labelled_rows=3, new_rows=3, overwrite=True)
    assert (tmp_path / "other").read_text() == "mine too"
    with pytest.raises(OutputError, match="is a file"):
        write_files(tmp_path / "other")


def test_the_command_says_what_it_wrote_and_how_to_go_on(tmp_path, monkeypatch, in_process):
    monkeypatch.chdir(tmp_path)
    run = in_process("demo", "--files-only", "--folder", "a b")
    assert run.returncode == 0, run.stderr
    *written, lead, step = run.stdout.splitlines()
    assert len(written) == 4
    assert lead.startswith("To train")
    assert step == "  textbatch train 'a b/tickets.csv' --text-column body --label-column queue"
    run = in_process("demo", "--files-only", "--folder", "c", "--json")
    assert len(json.loads(run.stdout)["files"]) == 4
