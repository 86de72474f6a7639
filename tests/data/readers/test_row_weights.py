"""`--weight-column`: how much a labelled row counts."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.readers.class_labels import LabelChoice
from textbatch.data.readers.labelled import read_labelled
from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.data.readers.read_options import ReadOptions
from textbatch.errors import DataError


def read(*inputs, skip=False) -> LabelledRows:
    choice = LabelChoice(column="label", weight="w")
    return read_labelled(
        inputs, ReadOptions(), text_column="text", label_column=choice, skip_unlabelled=skip
    )


@pytest.fixture
def written(tmp_path):
    def write(weights: pa.Array | list[float | None], labels: str = "abcd", name: str = "in"):
        table = pa.table({"text": list("wxyz"), "label": list(labels), "w": weights})
        path = tmp_path / f"{name}.parquet"
        pq.write_table(table, path)
        return path

    return write


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0, 2.0, 3.0],
        pa.array([1, 2, 2, 3], pa.uint8()),
        pa.array(["1", " 2.0", "2e0", "3"]),
        pa.array(["1", "2", "2", "3"]).dictionary_encode(),
        [1e-300, 2e-300, 2e-300, 3e-300],
        [3e8, 6e8, 6e8, 9e8],
    ],
    ids=["floats", "integers", "texts", "categories", "tiny", "large"],
)
def test_weights_have_mean_1_whatever_form_they_have(written, values):
    assert read(written(values)).weights == pytest.approx([0.5, 1, 1, 1.5])


def test_every_format_holds_them(tmp_path):
    rows = [("w", "a", 1), ("x", "b", 3)]
    (tmp_path / "in.csv").write_text(
        "text,label,w\n" + "".join(f"{t},{y},{w}\n" for t, y, w in rows)
    )
    lines = [json.dumps({"text": t, "label": y, "w": w}) for t, y, w in rows]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    for name in ("in.csv", "in.jsonl"):
        assert read(tmp_path / name).weights.tolist() == [0.5, 1.5]
    assert read(tmp_path / "in.csv", tmp_path / "in.jsonl").weights.tolist() == [0.5, 1.5] * 2


def test_equal_weights_are_none(written):
    rows = read(written([3.0] * 4))
    assert (rows.weights, rows.weightless) == (None, 0)


def test_rows_of_weight_0_are_left_out_and_keep_the_numbers_of_the_others(written):
    rows = read(written([0, 1, 0, 3]))
    assert rows.row_numbers.tolist() == [2, 4]
    assert rows.weights.tolist() == [0.5, 1.5]
    assert (rows.weightless, rows.rows_read) == (2, 4)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            [1, None, 2, -1.0],
            r"2 of 4 rows have no weight from 0 to 1,000,000,000 in column .w.: rows 2, 4;",
        ),
        ([1, np.nan, 1, 1], "1 of 4 .*row 2"),
        ([1, 1, np.inf, 1], "1 of 4 .*row 3"),
        ([1, 1, 1, 2e9], "1 of 4 .*row 4"),
        (["1", "much", "", "1,5"], "3 of 4 .*rows 2 to 4"),
        ([0, 0, -0.0, 0], "all 4 rows have weight 0"),
        ([[1.0]] * 4, "holds list, not numbers"),
        ([True] * 4, "holds bool, not numbers"),
    ],
    ids=["null, negative", "nan", "infinite", "too large", "texts", "all 0", "lists", "booleans"],
)
def test_what_is_no_weight_is_told_by_row(written, values, told):
    with pytest.raises(DataError, match=told) as raised:
        read(written(values))
    assert "much" not in str(raised.value)


def test_a_missing_column_is_told_with_its_flag(written):
    path = written([1.0] * 4)
    with pytest.raises(DataError, match="--weight-column"):
        read_labelled(
            (path,),
            ReadOptions(),
            text_column="text",
            label_column=LabelChoice(column="label", weight="nowhere"),
        )


def test_a_row_without_a_label_needs_no_weight(written):
    rows = read(written([1, None, 1, 0], labels="a cd"), skip=True)
    assert rows.row_numbers.tolist() == [1, 3]
    assert (rows.left_out.tolist(), rows.weightless, rows.rows_read) == ([2], 1, 4)


def test_taken_and_joined_rows_keep_their_weights(written):
    rows = read(written([1, 2, 2, 3]))
    assert rows.take(np.array([3, 0])).weights.tolist() == [1.5, 0.5]
    plain = read(written([1, 1, 1, 1], name="plain"))
    assert plain.followed_by(rows).weights.tolist() == [1, 1, 1, 1, 0.5, 1, 1, 1.5]
    assert plain.followed_by(plain).weights is None
