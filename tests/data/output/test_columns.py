from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from textbatch.data.output import columns
from textbatch.data.output.columns import OutputColumns
from textbatch.errors import ConflictError
from textbatch.types import Predictions, Status, TextBatch

LABELS = ("a", "b", "c")
NAN = float("nan")


def assemble(rows, status, **settings):
    """The output of rows with these probabilities, beside a column `id`."""
    columns = OutputColumns(labels=LABELS, **settings)
    table = pa.record_batch({"id": list(range(len(rows)))})
    chunk = TextBatch(
        table=table,
        texts=pa.array(["x"] * len(rows), pa.large_string()),
        undecodable=np.zeros(len(rows), bool),
    )
    predictions = Predictions(
        probabilities=np.array(rows, np.float32).reshape(len(rows), len(LABELS)),
        status=np.array(status, np.int8),
    )
    return columns.assemble(chunk, predictions, columns.output_schema(table.schema))


def test_the_best_label_its_probability_and_the_status_stand_beside_the_input():
    batch, _ = assemble([[0.1, 0.7, 0.2], [0.5, 0.25, 0.25]], [Status.OK, Status.TRUNCATED])
    assert batch.to_pylist() == [
        {"id": 0, "predicted_label": "b", "confidence": np.float32(0.7), "status": "ok"},
        {"id": 1, "predicted_label": "a", "confidence": 0.5, "status": "truncated"},
    ]


def test_before_arrow_26_probabilities_are_plain_lists(monkeypatch):
    """Nothing that reads Parquet by an Arrow older than that takes a null among fixed-size ones."""
    monkeypatch.setattr(columns, "_holds_null_vectors", lambda: False)
    numbers = np.array([[0.25, 0.75], [NAN, NAN], [1, 0]], np.float32)
    column = columns.vectors(numbers, np.array([False, True, False]))
    assert column.type == columns.vectors_type(2) == pa.list_(pa.float32())
    assert column.to_pylist() == [[0.25, 0.75], None, [1, 0]]
    assert len(column.values) == 4


def test_added_types_are_those_of_the_contract():
    fields = OutputColumns(labels=LABELS, probabilities=True, top_k=2, prefix="v_").fields()
    assert [(field.name, str(field.type)) for field in fields] == [
        ("v_predicted_label", "dictionary<values=string, indices=int32, ordered=0>"),
        ("v_confidence", "float"),
        ("v_status", "dictionary<values=string, indices=int32, ordered=0>"),
        ("v_probabilities", str(columns.vectors_type(3))),
        ("v_top_labels", "list<item: string>"),
        ("v_top_confidences", "list<item: float>"),
    ]
    assert json.loads(fields[3].metadata[b"labels"]) == list(LABELS)


@pytest.mark.parametrize(
    "status", [Status.NO_KNOWN_TOKENS, Status.EMPTY_TEXT, Status.NULL_TEXT, Status.BAD_TEXT]
)
def test_rows_without_evidence_have_a_status_and_nothing_else(status):
    batch, _ = assemble([[NAN] * 3, [0, 1, 0]], [status, Status.OK], probabilities=True, top_k=2)
    first, second = batch.to_pylist()
    assert first.pop("status") == Status(status).name.lower()
    assert first.pop("id") == 0
    assert len(first) == 5
    assert set(first.values()) == {None}
    assert second["top_labels"] == ["b", "a"]


def test_low_confidence_withholds_the_label_and_keeps_the_probabilities():
    rows = [[0.5, 0.3, 0.2], [0.49, 0.3, 0.21]]
    batch, predictions = assemble(
        rows, [Status.OK, Status.TRUNCATED], min_confidence=0.5, probabilities=True, top_k=1
    )
    kept, held = batch.to_pylist()
    assert (kept["predicted_label"], kept["status"]) == ("a", "ok")
    assert (held["predicted_label"], held["confidence"]) == (None, None)
    assert held["status"] == "low_confidence"
    assert held["probabilities"] == pytest.approx(rows[1])
    assert held["top_labels"] == ["a"]
    assert predictions.status.tolist() == [Status.OK, Status.LOW_CONFIDENCE]


def test_a_probability_that_equals_the_minimum_as_float32_is_kept():
    batch, _ = assemble([[0.7, 0.2, 0.1]], [Status.OK], min_confidence=0.7)
    assert batch["status"].to_pylist() == ["ok"]


def test_equal_probabilities_go_to_the_label_that_stands_first():
    batch, _ = assemble([[0.2, 0.4, 0.4]], [Status.OK], top_k=3)
    row = batch.to_pylist()[0]
    assert row["predicted_label"] == "b"
    assert row["top_labels"] == ["b", "c", "a"]


def test_more_top_labels_than_labels_are_all_labels():
    batch, _ = assemble([[0.2, 0.3, 0.5]], [Status.OK], top_k=99)
    assert batch["top_labels"].to_pylist() == [["c", "b", "a"]]
    assert batch["top_confidences"].to_pylist() == [pytest.approx([0.5, 0.3, 0.2])]


def test_no_rows_give_no_rows_of_every_column():
    batch, _ = assemble([], [], probabilities=True, top_k=2)
    assert (batch.num_rows, batch.num_columns) == (0, 7)


@pytest.mark.parametrize("name", ["predicted_label", "confidence", "status"])
def test_a_clash_names_the_column_and_a_prefix_ends_it(name):
    source = pa.schema([pa.field(name, pa.string())])
    with pytest.raises(ConflictError, match=f"column '{name}'; add --prefix"):
        OutputColumns(labels=LABELS).output_schema(source)
    schema = OutputColumns(labels=LABELS, prefix="v_").output_schema(source)
    assert schema.names == [name, "v_predicted_label", "v_confidence", "v_status"]


def test_columns_that_are_not_added_do_not_clash():
    source = pa.schema([pa.field("probabilities", pa.string())])
    OutputColumns(labels=LABELS).output_schema(source)
    with pytest.raises(ConflictError, match="'probabilities'"):
        OutputColumns(labels=LABELS, probabilities=True).output_schema(source)


def test_metadata_passes_through_but_not_that_of_earlier_runs():
    source = pa.schema([("id", pa.int64())], metadata={"owner": "us", "textbatch.rows": "7"})
    assert OutputColumns(labels=LABELS).output_schema(source).metadata == {b"owner": b"us"}


@pytest.mark.parametrize("name", ["Predicted_Label", "CONFIDENCE", "Status"])
def test_a_name_that_differs_by_case_only_is_a_clash_too(name):
    source = pa.schema([pa.field(name, pa.string())])
    message = f"column '{name}', which many readers do not tell from '{name.lower()}'; add --prefix"
    with pytest.raises(ConflictError, match=message):
        OutputColumns(labels=LABELS).output_schema(source)
    OutputColumns(labels=LABELS, prefix="v_").output_schema(source)
    with pytest.raises(ConflictError, match="do not tell from 'V_"):
        OutputColumns(labels=LABELS, prefix="V_").output_schema(
            pa.schema([pa.field(f"v_{name}", pa.string())])
        )


@pytest.mark.parametrize("key", ["status", "Status", "predicted_label", "CONFIDENCE"])
def test_a_partition_folder_with_the_name_of_an_added_column_is_a_clash(key):
    with pytest.raises(ConflictError, match=f"folders '{key}'.*add --prefix, or rename"):
        OutputColumns(labels=LABELS).check_partitions([("day", "1"), (key, "open")])
    OutputColumns(labels=LABELS, prefix="v_").check_partitions([(key, "open")])


@pytest.mark.parametrize("settings", [{}, {"thresholds": np.array([0.1, 0.1, 0.1], np.float32)}])
def test_a_confidence_that_is_no_number_passes_no_threshold(settings):
    batch, found = assemble([[NAN, NAN, NAN], [0.5, 0.25, 0.25]], [Status.OK] * 2, **settings)
    assert batch.column("confidence").to_pylist() == [None, 0.5]
    assert batch.column("predicted_label").to_pylist() == [None, "a"]
    assert found.status.tolist() == [Status.LOW_CONFIDENCE, Status.OK]


def test_of_many_equal_probabilities_the_first_labels_come_first():
    """An unstable sort keeps the order of a few equal numbers, and not that of many."""
    many = tuple(f"label {number:03}" for number in range(100))
    added = OutputColumns(labels=many, top_k=50)
    rows = pa.record_batch({"id": [0]})
    chunk = TextBatch(
        table=rows, texts=pa.array(["x"], pa.large_string()), undecodable=np.zeros(1, bool)
    )
    equal = np.array([[0.02, 0.005] * 50], np.float32)
    predictions = Predictions(probabilities=equal, status=np.array([Status.OK], np.int8))
    batch, _ = added.assemble(chunk, predictions, added.output_schema(rows.schema))
    assert batch.column("top_labels").to_pylist() == [list(many[::2])]
