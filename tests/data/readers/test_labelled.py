from __future__ import annotations

import gzip
import io
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.object_store import BUCKET

from textbatch.data.readers import stdin
from textbatch.data.readers.labelled import read_labelled
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.storage.location import STANDARD_INPUT, location_of
from textbatch.errors import ConflictError, DataError, InputNotFoundError, UsageError

CSV = b"text,label\nrefund,billing\nlogin,account\n"
ROWS = [("refund", "billing"), ("login", "account")]


def read(*inputs, beside=False, **options):
    rows = read_labelled(
        inputs,
        ReadOptions(**options),
        text_column="text",
        label_column="label",
        beside=beside,
    )
    assert rows.row_numbers.tolist() == list(range(1, len(rows) + 1))
    return list(zip(rows.texts.to_pylist(), rows.labels.to_pylist(), strict=True))


@pytest.fixture
def piped(monkeypatch):
    def give(data: bytes) -> None:
        monkeypatch.setattr(stdin.sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))

    return give


def test_files_come_in_the_order_given_and_those_of_a_folder_by_name(tmp_path):
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    pq.write_table(pa.table({"text": ["c"], "label": ["x"]}), folder / "deep" / "c.parquet")
    (folder / "b.csv.gz").write_bytes(gzip.compress(b"text,label\nb,x\n"))
    (folder / "_hidden.csv").write_text("nothing")
    (tmp_path / "z.jsonl").write_text('{"text": "z", "label": "y"}\n')
    assert read(tmp_path / "z.jsonl", folder) == [("z", "y"), ("b", "x"), ("c", "x")]
    assert read(folder / "**" / "*.parquet", tmp_path / "?.jsonl") == [("c", "x"), ("z", "y")]
    # The same file once, however often it is named.
    assert read(tmp_path / "z.jsonl", tmp_path / "*.jsonl") == [("z", "y")]


def test_standard_input_is_a_file_like_any_other(piped, tmp_path):
    piped(CSV)
    assert read(STANDARD_INPUT, input_format="csv") == ROWS
    (tmp_path / "more.csv").write_bytes(CSV)
    piped(CSV)
    assert read(STANDARD_INPUT, tmp_path / "more.csv", input_format="csv") == ROWS * 2
    piped(CSV)
    with pytest.raises(UsageError, match="cannot tell the format of standard input"):
        read(STANDARD_INPUT)
    piped(b"")
    with pytest.raises(DataError, match="standard input is empty"):
        read(STANDARD_INPUT, input_format="csv")


def test_rows_come_from_a_store(store):
    store.put("in/a.csv", CSV)
    store.put("in/b.jsonl", b'{"text": "z", "label": "y"}\n')
    for place in ("in", "in/", "in/*"):
        assert read(location_of(f"s3://{BUCKET}/{place}")) == [*ROWS, ("z", "y")]
    assert read(location_of(f"s3://{BUCKET}/in/a.csv")) == ROWS


def test_options_say_how_a_file_is_read(tmp_path):
    path = tmp_path / "in.dat"
    path.write_bytes("text;label\ngrößer;x\nNA;y\n".encode("latin-1"))
    options = {"input_format": "csv", "encoding": "latin-1", "delimiter": ";"}
    assert read(path, **options) == [("größer", "x"), ("NA", "y")]
    assert read(path, **options, null_text=("NA",)) == [("größer", "x"), (None, "y")]
    with pytest.raises(UsageError, match="cannot tell the format"):
        read(path)
    with pytest.raises(DataError, match="is of no known format by its name"):
        read(tmp_path)
    jsonl = tmp_path / "in.jsonl"
    jsonl.write_text('{"text": "z", "label": "y"}\n')
    with pytest.raises(ConflictError, match="--delimiter is for CSV"):
        read(jsonl, delimiter=";")
    assert read(jsonl, delimiter=";", beside=True) == [("z", "y")]


def test_what_is_not_there_is_told(tmp_path, store):
    for place in (tmp_path / "no.csv", tmp_path / "*.csv", location_of(f"s3://{BUCKET}/no/*")):
        with pytest.raises(InputNotFoundError):
            read(place)


BLANK = {
    "in.csv": "text,label\na,x\nb,\nc, \nd,\t\ne,y\n",
    "in.jsonl": '{"text": "a", "label": "x"}\n{"text": "b"}\n{"text": "c", "label": null}\n'
    '{"text": "d", "label": "\\u00a0\\u2003"}\n{"text": "e", "label": "y"}\n',
}


@pytest.mark.parametrize("name", BLANK)
def test_a_blank_label_is_a_missing_one_and_its_row_is_named_by_its_number(name, tmp_path):
    path = tmp_path / name
    path.write_text(BLANK[name])
    message = r"3 of 5 rows have no label in column 'label': rows 2 to 4; .*--skip-unlabelled"
    with pytest.raises(DataError, match=message):
        read_labelled([path], ReadOptions(), text_column="text", label_column="label")


@pytest.mark.parametrize("name", BLANK)
def test_rows_without_a_label_may_be_left_out(name, tmp_path):
    path = tmp_path / name
    path.write_text(BLANK[name])
    rows = read_labelled(
        [path], ReadOptions(), text_column="text", label_column="label", skip_unlabelled=True
    )
    assert rows.texts.to_pylist() == ["a", "e"]
    assert rows.labels.to_pylist() == ["x", "y"]
    assert rows.row_numbers.tolist() == [1, 5]
    assert rows.left_out.tolist() == [2, 3, 4]


def test_a_file_without_any_label_is_refused_all_the_same(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("text,label\na,\nb, \n")
    with pytest.raises(DataError, match=r"2 of 2 rows have no label .*; check --label-column"):
        read_labelled(
            [path], ReadOptions(), text_column="text", label_column="label", skip_unlabelled=True
        )


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(CSV)

    def change(_rows: int, _share: float) -> None:
        path.write_bytes(CSV * 2)

    with pytest.raises(DataError, match="changed while the job ran"):
        read_labelled(
            [path], ReadOptions(), text_column="text", label_column="label", on_read=change
        )


@pytest.mark.parametrize(
    ("labels", "texts"),
    [
        (pa.array([7, -1, 7]), ["7", "-1", "7"]),
        (pa.array([7, 1, 2], pa.uint8()), ["7", "1", "2"]),
        (pa.array([True, False, True]), ["true", "false", "true"]),
        (pa.array([1.0, 1.5, 2.0]), ["1", "1.5", "2"]),
        (pa.array([0.1, 1.5, 2.0], pa.float32()), ["0.1", "1.5", "2"]),
        (pa.array(np.float16([0.5, 1.5, 2])), ["0.5", "1.5", "2"]),
        (pa.array([3, 4, 3]).dictionary_encode(), ["3", "4", "3"]),
        (pa.array(["007", "7", "7.0"]), ["007", "7", "7.0"]),
    ],
)
def test_numbers_and_truths_are_labels_as_csv_would_hold_them(labels, texts, tmp_path):
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": ["a", "b", "c"], "label": labels}), path)
    assert read(path) == list(zip("abc", texts, strict=True))


def test_truths_and_numbers_of_json_are_labels_too(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a", "label": true}\n{"text": "b", "label": false}\n')
    assert read(path) == [("a", "true"), ("b", "false")]


def test_nan_is_a_missing_label(tmp_path):
    path = tmp_path / "in.parquet"
    labels = pa.array([1.0, float("nan"), None])
    pq.write_table(pa.table({"text": ["a", "b", "c"], "label": labels}), path)
    with pytest.raises(DataError, match="2 of 3 rows have no label in column 'label': rows 2 to 3"):
        read(path)


@pytest.mark.parametrize(
    "labels",
    [pa.array([1], pa.date32()), pa.array([[1]]), pa.array([1], pa.decimal128(9, 2))],
)
def test_values_without_one_plain_text_are_no_labels(labels, tmp_path):
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"text": ["a"], "label": labels}), path)
    with pytest.raises(DataError, match="labels are texts, whole numbers, floats or booleans"):
        read(path)
