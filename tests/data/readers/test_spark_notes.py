"""What Spark is told about timestamps that were INT96; `tests/system/roundtrip` asks Spark."""

from __future__ import annotations

import datetime as dt
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.readers.source import open_source
from textbatch.data.readers.spark_notes import SPARK_ROW
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

VERSION = "org.apache.spark.version"
OLD_INT96, OLD_OTHERS = "org.apache.spark.legacyINT96", "org.apache.spark.legacyDateTime"
MOMENTS = pa.array([dt.datetime(2024, 1, 1)], pa.timestamp("us"))


def write(path, columns, metadata=None, *, int96=True):
    table = pa.table({"text": ["a"], **columns}).replace_schema_metadata(metadata)
    pq.write_table(table, path, use_deprecated_int96_timestamps=int96)
    return path


def fields_of(path) -> dict[str, object]:
    row = json.loads(pq.read_schema(path).metadata[SPARK_ROW])
    return {field["name"]: field["type"] for field in row["fields"]}


def test_int96_stays_a_moment_for_spark(model, tmp_path):
    nested = pa.array([[{"at": dt.datetime(2024, 1, 1), "n": 1}]])
    maps = pa.array([[("k", [1.5])]], pa.map_(pa.string(), pa.list_(pa.float64())))
    source = write(tmp_path / "in.parquet", {"at": MOMENTS, "deep": nested, "map": maps})
    output = tmp_path / "out.parquet"
    score(ScoreConfig(inputs=(source,), output=output, model=model, top_k=1))
    inner = [
        {"name": "at", "type": "timestamp", "nullable": True, "metadata": {}},
        {"name": "n", "type": "long", "nullable": True, "metadata": {}},
    ]
    floats = {"type": "array", "elementType": "double", "containsNull": True}
    assert fields_of(output) == {
        "text": "string",
        "at": "timestamp",
        "deep": {
            "type": "array",
            "elementType": {"type": "struct", "fields": inner},
            "containsNull": True,
        },
        "map": {
            "type": "map",
            "keyType": "string",
            "valueType": floats,
            "valueContainsNull": True,
        },
        "predicted_label": "string",
        "confidence": "float",
        "status": "string",
        "top_labels": {"type": "array", "elementType": "string", "containsNull": True},
        "top_confidences": {"type": "array", "elementType": "float", "containsNull": True},
    }


def test_a_file_without_int96_is_told_nothing(tmp_path):
    source = write(tmp_path / "in.parquet", {"at": MOMENTS}, {OLD_INT96: ""}, int96=False)
    assert open_source(source).schema.metadata == {OLD_INT96.encode(): b""}


def test_a_file_that_spark_does_not_read_is_told_nothing(tmp_path):
    clock = pa.array([1], pa.time64("us"))
    source = write(tmp_path / "in.parquet", {"at": MOMENTS, "clock": clock})
    assert SPARK_ROW not in (open_source(source).schema.metadata or {})


@pytest.mark.parametrize(
    ("metadata", "is_old"),
    [
        ({}, False),
        ({VERSION: "4.0.0"}, False),
        ({VERSION: "4.0.0", OLD_INT96: ""}, True),
        ({VERSION: "4.0.0", OLD_OTHERS: ""}, False),
        ({VERSION: "4.0.0", OLD_INT96: "", OLD_OTHERS: ""}, True),
        ({VERSION: "3.0.1"}, True),
        ({VERSION: "2.4.8"}, False),  # Spark knows by the version
    ],
)
def test_the_calendar_of_int96_becomes_that_of_all(metadata, is_old, tmp_path):
    source = open_source(write(tmp_path / "in.parquet", {"at": MOMENTS}, metadata or None))
    assert (OLD_OTHERS.encode() in source.schema.metadata) == is_old
    assert source.notes == []


@pytest.mark.parametrize("metadata", [{OLD_INT96: ""}, {OLD_OTHERS: ""}])
def test_two_calendars_in_one_file_are_told(metadata, tmp_path):
    days = pa.array([dt.date(1500, 1, 1)])
    source = open_source(write(tmp_path / "in.parquet", {"at": MOMENTS, "day": days}, metadata))
    assert source.notes == [
        "Spark may take dates before 1900 for others: two calendars in one file"
    ]
