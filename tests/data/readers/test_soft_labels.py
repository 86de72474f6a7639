"""`--soft-labels` and `--confidence-column`: labels that are not sure."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.readers.class_labels import LabelChoice
from textbatch.data.readers.label_shares import dense_shares, renamed_shares
from textbatch.data.readers.labelled import read_labelled
from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.data.readers.read_options import ReadOptions
from textbatch.errors import DataError

LABELS = ("a", "b", "c")
SHARES = [{"a": 0.75, "b": 0.25}, {"b": 0.5, "a": 0.5}, {"c": 1.0}]
DENSE = [[0.75, 0.25, 0], [0.5, 0.5, 0], [0, 0, 1]]


def read(*inputs, beside=False, skip=False, **choice) -> LabelledRows:
    return read_labelled(
        inputs,
        ReadOptions(),
        text_column="text",
        label_column=LabelChoice(column="label", **choice),
        beside=beside,
        skip_unlabelled=skip,
    )


def written(tmp_path, column, name="in.parquet", **more):
    table = {"text": [f"t{i}" for i in range(len(column))], "s": column, **more}
    pq.write_table(pa.table(table), tmp_path / name)
    return tmp_path / name


@pytest.mark.parametrize(
    "column",
    [
        pa.array([{"a": None, "b": None, "c": None, **one} for one in SHARES]),
        pa.array([list(one.items()) for one in SHARES], pa.map_(pa.string(), pa.float32())),
        pa.array([json.dumps(one) for one in SHARES]),
        pa.array([json.dumps(one) for one in SHARES]).dictionary_encode(),
    ],
    ids=["struct", "map", "json", "categories"],
)
def test_every_form_gives_the_shares_and_the_most_probable_label(column, tmp_path):
    rows = read(written(tmp_path, column), soft="s")
    # Of equal shares, the first by name.
    assert rows.labels.to_pylist() == ["a", "a", "c"]
    assert rows.targets(LABELS) == pytest.approx(np.array(DENSE))


def test_csv_and_json_lines_hold_them_too(tmp_path):
    cells = ['"' + json.dumps(one).replace('"', '""') + '"' for one in SHARES]
    (tmp_path / "in.csv").write_text("text,s\n" + "".join(f"t,{cell}\n" for cell in cells))
    lines = [json.dumps({"text": "t", "s": one}) for one in SHARES]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    for name in ("in.csv", "in.jsonl"):
        assert read(tmp_path / name, soft="s").targets(LABELS) == pytest.approx(np.array(DENSE))


def test_shares_that_were_rounded_add_up_to_1(tmp_path):
    rows = read(written(tmp_path, ['{"a": 0.333, "b": 0.333, "c": 0.333}']), soft="s")
    assert rows.targets(LABELS).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "cell",
    [
        '{"a": 0.5}',
        '{"a": 75, "b": 25}',
        '{"a": 1.5, "b": -0.5}',
        '{"a": "much"}',
        '{"a": true}',
        '{"a": 0.5, "a": 0.5}',
        '{"a": NaN}',
        '["a"]',
        "secret",
        "1",
    ],
)
def test_what_is_no_distribution_is_told_by_row_and_not_quoted(cell, tmp_path):
    path = written(tmp_path, ['{"a": 1}', cell])
    with pytest.raises(DataError, match=r"1 of 2 rows .* add up to 1 .*: row 2;") as told:
        read(path, soft="s")
    assert "secret" not in str(told.value)


def test_a_row_without_any_label_is_unlabelled(tmp_path):
    path = written(tmp_path, ['{"a": 1}', None, "{}", " ", '{"b": 1}'])
    with pytest.raises(DataError, match=r"3 of 5 rows have no label in column 's': rows 2 to 4"):
        read(path, soft="s")
    assert read(path, soft="s", skip=True).targets(LABELS).tolist() == [[1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("column", [[1.5], [["a"]]], ids=["numbers", "lists"])
def test_a_column_of_another_kind_is_told(column, tmp_path):
    with pytest.raises(DataError, match="labels with shares are a struct, a map"):
        read(written(tmp_path, column), soft="s")
    with pytest.raises(DataError, match="--soft-labels"):
        read(written(tmp_path, column), soft="nowhere")


def test_what_a_label_lacks_to_1_is_spread_over_the_others(tmp_path):
    path = written(tmp_path, [0.8, 1, 0], label=["a", "b", "c"])
    rows = read(path, confidence="s")
    expected = [[0.8, 0.1, 0.1], [0, 1, 0], [0.5, 0.5, 0]]
    assert rows.targets(LABELS) == pytest.approx(np.array(expected))
    assert rows.labels.to_pylist() == ["a", "b", "c"]


@pytest.mark.parametrize("value", [None, np.nan, -0.1, 1.1, np.inf])
def test_what_is_no_confidence_is_told_by_row(value, tmp_path):
    path = written(tmp_path, [0.5, value], label=["a", "b"])
    with pytest.raises(DataError, match=r"1 of 2 rows have no confidence from 0 to 1 .*: row 2"):
        read(path, confidence="s")


def test_held_out_files_may_have_sure_labels(tmp_path):
    plain = written(tmp_path, [0.5, 0.5], "plain.parquet", label=["a", "b"])
    for choice in ({"soft": "x"}, {"confidence": "x"}, {"weight": "x"}):
        with pytest.raises(DataError, match="has no column 'x'"):
            read(plain, **choice)
        rows = read(plain, beside=True, **choice)
        assert (rows.labels.to_pylist(), rows.shares, rows.weights) == (["a", "b"], None, None)


def test_rows_keep_their_shares_when_they_are_taken_joined_and_renamed(tmp_path):
    rows = read(written(tmp_path, [json.dumps(one) for one in SHARES]), soft="s")
    assert rows.take(np.array([2, 0])).targets(LABELS) == pytest.approx(np.array(DENSE)[[2, 0]])
    sure = read(written(tmp_path, ["a"], "sure.parquet", label=["b"]))
    assert sure.followed_by(rows).targets(LABELS)[0].tolist() == [0, 1, 0]
    named = {"a": "b", "b": "b", "c": None}
    shares = renamed_shares(rows.shares, lambda ids: pa.array([named[i] for i in ids.to_pylist()]))
    assert dense_shares(shares[:2], LABELS) == pytest.approx(np.array([[0, 1, 0]] * 2))


def test_shares_of_labels_that_a_model_lacks_go_to_the_others(tmp_path):
    rows = read(written(tmp_path, ['{"a": 0.6, "b": 0.2, "x": 0.2}']), soft="s")
    assert rows.targets(LABELS) == pytest.approx(np.array([[0.75, 0.25, 0]]))


def vectors(rows, labels=LABELS) -> pa.Table:
    """Rows as `score --probabilities` writes them."""
    field = pa.field("s", pa.list_(pa.float32()), metadata={"labels": json.dumps(labels)})
    texts = [f"t{i}" for i in range(len(rows))]
    return pa.table([texts, rows], schema=pa.schema([("text", pa.string()), field]))


def test_the_probabilities_that_score_adds_are_shares(tmp_path):
    pq.write_table(vectors([*DENSE, None]), tmp_path / "in.parquet")
    rows = read(tmp_path / "in.parquet", soft="s", skip=True)
    assert rows.targets(LABELS) == pytest.approx(np.array(DENSE))
    assert (rows.labels.to_pylist(), rows.left_out.tolist()) == (["a", "a", "c"], [4])


@pytest.mark.parametrize("wrong", [[0.5, 0.1, 0.1], [1.0], [np.nan, 0, 0], [2, -1, 0], []])
def test_probabilities_that_are_none_are_told(wrong, tmp_path):
    pq.write_table(vectors([[1, 0, 0], wrong]), tmp_path / "in.parquet")
    with pytest.raises(DataError, match=r"1 of 2 rows .* add up to 1 .*: row 2;"):
        read(tmp_path / "in.parquet", soft="s")


@pytest.mark.parametrize("labels", [("a", "a", "b"), "abc", {"a": 1}, [1, 2, 3]])
def test_lists_without_names_of_labels_are_no_labels(labels, tmp_path):
    pq.write_table(vectors([[1, 0, 0]], labels), tmp_path / "in.parquet")
    with pytest.raises(DataError, match="what `score --probabilities` adds"):
        read(tmp_path / "in.parquet", soft="s")


def test_of_several_files_some_may_have_sure_labels(tmp_path):
    sure, other = tmp_path / "sure.parquet", tmp_path / "other.parquet"
    for path in (sure, other):
        pq.write_table(pa.table({"text": ["t"], "label": ["b"]}), path)
    soft = written(tmp_path, ['{"a": 0.75, "b": 0.25}'])
    rows = read(sure, soft, soft="s")
    assert rows.targets(("a", "b")).tolist() == [[0, 1], [0.75, 0.25]]
    with pytest.raises(DataError, match="has no column 's'"):
        read(sure, other, soft="s")
