"""Rows with any number of labels: lists, and texts with a separator."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.readers.class_labels import LabelChoice
from textbatch.data.readers.labelled import read_labelled
from textbatch.data.readers.multi_labels import label_matrix, list_counts, lists_of
from textbatch.data.readers.read_options import ReadOptions
from textbatch.errors import DataError

ROWS = [["b", "a"], [], ["a", "a"], ["c"]]


def read(path, *, separator=None, skip=False):
    choice = LabelChoice(column="labels", several=True, separator=separator)
    return read_labelled(
        [path], ReadOptions(), text_column="text", label_column=choice, skip_unlabelled=skip
    )


def parquet(path, lists, kind):
    table = pa.table({"text": ["t"] * len(lists), "labels": pa.array(lists, kind)})
    pq.write_table(table, path)
    return path


@pytest.mark.parametrize("kind", [pa.list_(pa.string()), pa.large_list(pa.large_string())])
def test_lists_of_parquet(kind, tmp_path):
    rows = read(parquet(tmp_path / "rows.parquet", ROWS, kind))
    assert lists_of(rows.labels) == [["a", "b"], [], ["a"], ["c"]]
    assert list_counts(rows.labels) == {"a": 2, "b": 1, "c": 1}
    matrix, unseen = label_matrix(rows.labels, ["a", "b"])
    assert matrix.tolist() == [[True, True], [False, False], [True, False], [False, False]]
    assert unseen == {"c": 1}


def test_numbers_in_lists_are_the_texts_of_a_csv_file(tmp_path):
    path = parquet(tmp_path / "rows.parquet", [[1.0, 2.5], []], pa.list_(pa.float64()))
    assert lists_of(read(path).labels) == [["1", "2.5"], []]


def test_lists_of_json_lines(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"text": "t", "labels": one}) + "\n" for one in ROWS))
    assert lists_of(read(path).labels) == [["a", "b"], [], ["a"], ["c"]]


def test_texts_with_a_separator(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text,labels\nt,b; a\nt,;\nt,a;;a\nt,c\n")
    assert lists_of(read(path, separator=";").labels) == [["a", "b"], [], ["a"], ["c"]]


def test_a_missing_list_is_a_missing_label_and_an_empty_one_is_not(tmp_path):
    path = parquet(tmp_path / "rows.parquet", [["a"], None, []], pa.list_(pa.string()))
    with pytest.raises(DataError, match="1 of 3 rows have no label"):
        read(path)
    rows = read(path, skip=True)
    assert lists_of(rows.labels) == [["a"], []]
    assert rows.left_out.tolist() == [2]
    (tmp_path / "rows.csv").write_text("text,labels\nt,a\nt,\n")
    with pytest.raises(DataError, match="have no label"):
        read(tmp_path / "rows.csv", separator=";")


@pytest.mark.parametrize("bad", [None, "", " \u200b"])
def test_a_null_or_blank_label_in_a_list_is_an_error_that_tells_the_row(bad, tmp_path):
    path = parquet(tmp_path / "rows.parquet", [["secret"], ["secret", bad]], pa.list_(pa.string()))
    with pytest.raises(DataError, match="null or a blank label") as told:
        read(path)
    assert "2" in str(told.value)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("values", "kind", "separator"),
    [
        (["a;b"], pa.string(), None),
        ([["a"]], pa.list_(pa.string()), ";"),
        ([[["a"]]], pa.list_(pa.list_(pa.string())), None),
        ([{"a": 1}], pa.struct([("a", pa.int64())]), None),
    ],
)
def test_a_column_of_another_type_is_refused(values, kind, separator, tmp_path):
    path = parquet(tmp_path / "rows.parquet", values, kind)
    with pytest.raises(DataError, match="holds"):
        read(path, separator=separator)
