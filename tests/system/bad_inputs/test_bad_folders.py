"""Cases 31 to 36, over a directory of files."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CANARY = "kanarienvogel"
GOOD = pa.table({"id": [1, 2], "text": [f"refund {CANARY}", "login"]})


@pytest.fixture
def inputs(cli) -> Path:
    folder = cli.folder / "in"
    for name in ("a/one.parquet", "b/two.parquet"):
        write(folder / name, GOOD)
    return folder


def write(path: Path, table: pa.Table) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


def test_31_files_with_another_type_in_the_text_column(cli, inputs):
    write(inputs / "c.parquet", pa.table({"id": [1], "text": [7]}))
    cli.refuses(
        inputs, 65, r"c\.parquet holds int64 in column 'text' where .*one\.parquet has string"
    )


def test_32_a_file_without_the_text_column(cli, inputs):
    write(inputs / "c.parquet", pa.table({"id": [1], "body": ["refund"]}))
    cli.refuses(inputs, 65, r"c\.parquet has no column 'text'; its columns are 'id', 'body'")


def test_32_a_file_without_a_column_to_keep(cli, inputs):
    write(inputs / "c.parquet", GOOD.select(["text"]))
    cli.refuses(inputs, 65, r"c\.parquet has no column 'id'.*--columns", "--columns", "id")


def test_32_other_columns_may_differ_and_are_told(cli, inputs):
    write(inputs / "c.parquet", GOOD.append_column("more", [[1.5, None]]))
    assert cli.score(inputs) == 0, cli.error
    assert "1 of 3 files have other columns or types than most" in cli.error
    assert f"the first is {inputs / 'c.parquet'}" in cli.error.replace("\n", "")
    assert pq.read_table(cli.output / "c.parquet")["more"].to_pylist() == [1.5, None]


def test_33_stray_files_are_left_out_and_counted(cli, inputs):
    for name in ("_SUCCESS", ".one.parquet.crc", "a/_tmp", "a/.hidden.parquet", "_old/x.parquet"):
        (inputs / name).parent.mkdir(exist_ok=True)
        (inputs / name).write_bytes(b"")
    assert cli.score(inputs, "--json") == 0, cli.error
    assert (
        '"files": {"found": 2, "scored": 2, "resumed": 0, "known": 0, "stray": 5, "stale": 0, '
        '"rescored": 0}' in cli.told
    )


@pytest.mark.parametrize("name", ["part.tmp", "readme", "sub/x.orc"])
def test_33_any_other_file_is_told(name, cli, inputs):
    (inputs / name).parent.mkdir(exist_ok=True)
    (inputs / name).write_bytes(b"x")
    cli.refuses(inputs, 65, f"{name} is of no known format.*move it away")
    assert cli.score(inputs / "*/*.parquet") == 0, cli.error


def test_33_a_file_of_no_bytes_is_an_interrupted_upload(cli, inputs):
    (inputs / "c.parquet").write_bytes(b"")
    cli.refuses(inputs, 65, r"c\.parquet is empty \(0 bytes\)")


def test_34_a_partition_folder_named_like_a_column(cli, inputs):
    write(inputs / "id=7" / "c.parquet", GOOD)
    assert cli.score(inputs) == 65
    assert "c.parquet has a column 'id' of other values than its folder id=" in cli.error
    assert not (cli.output / "_SUCCESS").exists()


def test_35_a_file_that_changes_while_the_job_runs(cli, inputs, monkeypatch):
    from textbatch.data.output import ledger

    noted = ledger.Ledger.add

    def add(self: ledger.Ledger, entry: ledger.Entry, **settings: bool) -> None:
        noted(self, entry, **settings)
        write(inputs / "b" / "two.parquet", pa.concat_tables([GOOD, GOOD]))

    monkeypatch.setattr(ledger.Ledger, "add", add)
    assert cli.score(inputs) == 65
    assert "two.parquet changed while the job ran" in cli.error
    assert not (cli.output / "_SUCCESS").exists()
    monkeypatch.undo()
    assert cli.score(inputs) == 0, cli.error
    assert pq.read_table(cli.output / "b" / "two.parquet").num_rows == 4


def test_36_the_output_inside_an_input_or_around_it(cli, inputs):
    cli.output = inputs / "out"
    cli.refuses(inputs, 64, "the output .* lies in the input")
    (cli.folder / "link").symlink_to(inputs)
    cli.output = cli.folder / "link" / "a" / "out"
    cli.refuses(inputs, 64, "the output .* lies in the input")
    cli.output = cli.folder
    assert cli.score(inputs, "--overwrite") == 64
    assert "lies in the output" in cli.error


def test_two_files_that_would_become_one_part(cli, inputs):
    (inputs / "a" / "one.csv").write_text("text\nrefund\n")
    cli.refuses(inputs, 64, r"one\.csv and .*one\.parquet would both become a/one\.parquet")


def test_flags_that_contradict_each_other(cli, inputs):
    cli.refuses(inputs, 64, "--incremental adds", "--incremental", "--overwrite")
    cli.refuses(inputs, 64, "lies in the output", "--quarantine", cli.output / "bad")
    cli.output.mkdir()
    (cli.output / "foreign.txt").write_text("precious")
    assert cli.score(inputs) == 73
    assert "is not empty" in cli.error
    assert cli.score(inputs, "--incremental") == 73
    assert "no manifest" in cli.error
    assert cli.score(inputs, "--overwrite") == 73
    assert "holds foreign.txt, which this output did not write" in cli.error
    assert [path.name for path in cli.output.iterdir()] == ["foreign.txt"]


@pytest.mark.parametrize("key", ["status", "Predicted_Label"])
def test_34_a_partition_folder_named_like_an_added_column(key, cli, inputs):
    write(inputs / f"{key}=open" / "c.parquet", GOOD)
    cli.refuses(inputs, 64, f"has folders '{key}'.*add --prefix, or rename the folders")
    assert cli.score(inputs, "--prefix", "tb_") == 0, cli.error


def test_34_a_partition_folder_that_repeats_a_column(cli, inputs):
    write(inputs / "Id=7" / "c.parquet", GOOD.set_column(0, "id", pa.array([7] * len(GOOD))))
    assert cli.score(inputs) == 0, cli.error
    assert pq.ParquetFile(cli.output / "Id=7" / "c.parquet").read()["id"].to_pylist() == [7, 7]


def test_a_column_that_differs_by_case_is_found_before_anything_is_scored(cli, inputs):
    write(inputs / "z.parquet", GOOD.append_column("STATUS", pa.array(["x"] * len(GOOD))))
    cli.refuses(inputs, 64, "column 'STATUS', which many readers do not tell from 'status'")
    assert not (cli.output / "a.parquet").exists()
