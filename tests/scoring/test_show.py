"""`show`: rows of an output, from the first ones on."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from textbatch.data.choices import StatusName
from textbatch.data.readers.parquet_readers import Readers
from textbatch.errors import DataError, InputNotFoundError
from textbatch.options import options_of
from textbatch.report.terminal.rows import rows_table, shown_cell
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score
from textbatch.scoring.show import show_rows
from textbatch.scoring.show_options import ShowOptions
from textbatch.types import Status

NAMES = ("out.parquet", "out.csv", "out.csv.gz", "out.jsonl", "out.jsonl.zst")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory, model, texts):
    folder = tmp_path_factory.mktemp("outputs")
    source = folder / "in.parquet"
    pq.write_table(pa.table({"id": list(range(len(texts))), "text": texts}), source)
    for name in NAMES:
        config = ScoreConfig(inputs=(source,), output=folder / name, model=model, prefix="p_")
        score(config)
    return folder


def shown(path, **asked):
    return show_rows(ShowOptions(output=path, **asked))


@pytest.mark.parametrize("name", NAMES)
def test_the_first_rows_are_shown(name, outputs):
    found = shown(outputs / name, rows=3)
    assert found.columns == ["id", "text", "p_predicted_label", "p_confidence", "p_status"]
    assert found.answers == ["p_predicted_label", "p_confidence", "p_status"]
    assert [str(row["id"]) for row in found.rows] == ["0", "1", "2"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({"status": "null_text"}, lambda row: row["p_status"] == "null_text"),
        ({"label": "billing"}, lambda row: row["p_predicted_label"] == "billing"),
        ({"below": 0.5}, lambda row: (row["p_confidence"] or 1) < 0.5),
        (
            {"label": "billing", "below": 0.4, "status": "truncated"},
            lambda row: (
                (row["p_confidence"] or 1) < 0.4
                and (row["p_predicted_label"], row["p_status"]) == ("billing", "truncated")
            ),
        ),
        ({"label": "no such label"}, lambda row: False),
    ],
)
def test_only_rows_that_fit_are_shown(name, asked, fits, outputs):
    whole = pq.read_table(outputs / "out.parquet").to_pylist()
    wanted = [str(row["id"]) for row in whole if fits(row)]
    assert [str(row["id"]) for row in shown(outputs / name, rows=1000, **asked).rows] == wanted
    assert [str(row["id"]) for row in shown(outputs / name, rows=2, **asked).rows] == wanted[:2]


def many_groups(path):
    rows = 1000
    confidence = [1.0] * rows
    confidence[705:708] = [0.3, 0.2, 0.1]
    table = pa.table(
        {
            "id": list(range(rows)),
            "predicted_label": pa.array(["x"] * rows).dictionary_encode(),
            "confidence": pa.array(confidence, pa.float32()),
            "status": pa.array(["ok"] * rows).dictionary_encode(),
        }
    )
    pq.write_table(table, path, row_group_size=100)
    return path


def test_row_groups_that_cannot_hold_a_fitting_row_are_not_read(tmp_path, monkeypatch):
    path = many_groups(tmp_path / "big.parquet")
    read = []
    batches = Readers.batches

    def noted(self, row_groups, *arguments, **named):
        read.append(tuple(row_groups))
        return batches(self, row_groups, *arguments, **named)

    monkeypatch.setattr(Readers, "batches", noted)
    assert [row["id"] for row in shown(path, below=0.5, rows=2).rows] == [705, 706]
    assert set(read) == {(7,)}
    read.clear()
    assert len(shown(path, rows=5).rows) == 5
    assert set(read) == {(0,)}
    read.clear()
    assert shown(path, label="y").rows == []
    assert read == []


def test_a_row_group_that_breaks_off_is_damaged(tmp_path):
    path = many_groups(tmp_path / "big.parquet")
    content = bytearray(path.read_bytes())
    for place in range(4, 400):
        content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        shown(path)


def test_columns_are_chosen(outputs):
    for name in ("out.parquet", "out.jsonl"):
        found = shown(outputs / name, columns=("p_status", "id"), below=0.9, rows=1)
        assert [list(row) for row in found.rows] == [["p_status", "id"]]
    with pytest.raises(DataError, match="has no column 'nix'"):
        shown(outputs / "out.csv", columns=("nix",))


def test_files_without_answers_are_shown_but_not_filtered(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("a,b\n1,2\n")
    assert shown(path).rows == [{"a": "1", "b": "2"}]
    with pytest.raises(DataError, match="no column 'status'"):
        shown(path, status="ok")
    pq.write_table(pa.table({"confidence": ["high"]}), tmp_path / "odd.parquet")
    with pytest.raises(DataError, match="was not written by textbatch"):
        shown(tmp_path / "odd.parquet", below=0.5)
    path.write_bytes(b"\xef\xbb\xbfa,b\r\n1,2\r\n")
    assert shown(path).rows == [{"a": "1", "b": "2"}]
    path.write_text("confidence\nhigh\n")
    with pytest.raises(DataError, match="has changed"):
        shown(path, below=0.5)


def test_folders_are_shown_part_after_part(model, tmp_path, in_process):
    (tmp_path / "in").mkdir()
    for number in (1, 2):
        (tmp_path / "in" / f"{number}.csv").write_text(f"id,text\n{number},the card\n")
    assert in_process("score", tmp_path / "in", tmp_path / "out", "-m", model).returncode == 0
    assert [row["id"] for row in shown(tmp_path / "out").rows] == ["1", "2"]
    assert [row["id"] for row in shown(tmp_path / "in", rows=2).rows] == ["1", "2"]
    with pytest.raises(DataError, match="is a model"):
        shown(model)
    with pytest.raises(InputNotFoundError, match="there is nothing"):
        shown(tmp_path / "nothing.parquet")


def test_an_output_without_rows_is_shown_as_such(model, tmp_path, in_process):
    (tmp_path / "in.csv").write_text("id,text\n")
    for name in ("out.csv", "out.parquet", "out.jsonl"):
        done = in_process("score", tmp_path / "in.csv", tmp_path / name, "-m", model)
        assert done.returncode == 0, done.stderr
        assert shown(tmp_path / name).columns[0] == "id"
        assert "no such row" in in_process("show", tmp_path / name).stdout


def test_values_of_any_type_are_shown(tmp_path):
    table = pa.table(
        {
            "raw": [b"\xff", None],
            "list": [[1, None], None],
            "time": pa.array([2**62, 0], pa.int64()).cast(pa.timestamp("ms")),
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    first, second = shown(tmp_path / "x.parquet").rows
    assert (first["raw"], first["list"], first["time"]) == ("(bytes)", [1, None], "(no text)")
    assert (second["raw"], second["list"]) == (None, None)


def test_a_status_is_one_of_the_statuses():
    (status,) = (one for one in options_of(ShowOptions) if one.name == "status")
    assert list(status.choices) == Status.names()
    assert StatusName


def test_cells_cannot_control_a_terminal():
    assert shown_cell("a\x1b[2J\nb\u202e") == "a\\x1b[2J\\nb\\u202e"
    assert shown_cell(None) == "–"
    assert shown_cell([1, "ü"]) == '[1, "ü"]'


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_table_is_as_wide_as_the_terminal(width, outputs):
    found = shown(outputs / "out.parquet")
    table, hidden = rows_table(found.rows, found.columns, first=found.answers, width=width)
    console = Console(width=width, file=io.StringIO())
    console.print(table)
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 12
    assert max(map(len, lines)) <= width
    assert lines[0].split()[-1].startswith("p_")
    assert bool(hidden) == (width < 80)
    if width >= 80:
        assert "no_known_tokens" in lines[4]


def test_what_has_no_room_is_told(outputs, in_process, monkeypatch):
    monkeypatch.setattr("textbatch.cli.commands.show.results", Console(width=30))
    done = in_process("show", outputs / "out.parquet")
    assert "no room for text, p_status; name fewer with --columns" in done.stderr


def test_wide_characters_are_measured():
    rows = [{"a": "文" * 60, "b": "x" * 60, "c": 1}]
    table, hidden = rows_table(rows, ["a", "b", "c"], first=["c"], width=40)
    assert not hidden
    assert sum(column.width + 3 for column in table.columns) <= 43


def test_json_is_whole_rows(outputs, in_process):
    done = in_process("show", outputs / "out.csv", "--rows", "2", "--json")
    rows = list(map(json.loads, done.stdout.splitlines()))
    assert [row["id"] for row in rows] == ["0", "1"]
    assert list(rows[0]) == ["id", "text", "p_predicted_label", "p_confidence", "p_status"]
