from __future__ import annotations

import json

import fastparquet
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.output.columns import OutputColumns
from textbatch.data.output.footer_schemas import carried_entries
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

SPARK = "org.apache.spark.sql.parquet.row.metadata"
KEPT = [pa.field("id", pa.int64()), pa.field("text", pa.string())]
ADDED = OutputColumns(labels=("a", "b"), probabilities=True, top_k=1).fields()


def carried(key: str, value: object, kept=KEPT, added=ADDED):
    """What becomes of one entry: JSON, or None where it is dropped."""
    entry = value if isinstance(value, bytes) else json.dumps(value).encode()
    found = carried_entries({key.encode(): entry}, kept, added).get(key.encode())
    return found and json.loads(found)


def spark_row(*fields: tuple[str, object]) -> dict[str, object]:
    return {
        "type": "struct",
        "fields": [
            {"name": name, "type": kind, "nullable": False, "metadata": {"comment": name}}
            for name, kind in fields
        ],
    }


def test_sparks_copy_gets_the_added_columns_in_sparks_types():
    row = carried(SPARK, spark_row(("id", "long"), ("text", "string")))
    assert row["fields"][:2] == spark_row(("id", "long"), ("text", "string"))["fields"]
    assert {field["name"]: field["type"] for field in row["fields"][2:]} == {
        "predicted_label": "string",
        "confidence": "float",
        "status": "string",
        "probabilities": {"type": "array", "elementType": "float", "containsNull": True},
        "top_labels": {"type": "array", "elementType": "string", "containsNull": True},
        "top_confidences": {"type": "array", "elementType": "float", "containsNull": True},
    }


def test_sparks_copy_loses_columns_that_are_left_out_and_takes_the_new_order():
    row = carried(SPARK, spark_row(("text", "string"), ("gone", "long"), ("id", "long")), added=[])
    assert [field["name"] for field in row["fields"]] == ["id", "text"]


@pytest.mark.parametrize(
    "copy",
    [
        spark_row(("ID", "long"), ("text", "string")),  # of other columns
        b"StructType(StructField(id,LongType,true))",  # of Spark 1
        {"type": "struct"},
        {"fields": 3},
        [],
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_copy_that_does_not_fit_is_dropped(copy):
    assert carried(SPARK, copy) is None


@pytest.mark.parametrize(
    "key",
    [
        "parquet.avro.schema",
        "avro.schema",
        "iceberg.schema",
        "pig.schema",
        "schema",
        "SCHEMA",
        "spark.sql.sources.schema.part.0",
        "spark.sql.sources.schema.numParts",
        "gdal:schema",
        "parquet.proto.descriptor",
        "parquet.proto.class",
        "thrift.class",
        "thrift.descriptor",
    ],
)
def test_a_copy_that_nobody_here_can_extend_is_dropped(key):
    assert carried(key, {"fields": []}) is None


@pytest.mark.parametrize(
    "key", ["org.apache.spark.version", "writer.model.name", "owner", "schema_owner", "my schema"]
)
def test_other_entries_stay_as_they_are(key):
    assert carried_entries({key.encode(): b"\xff {"}, KEPT, ADDED) == {key.encode(): b"\xff {"}


@pytest.mark.parametrize("kept", [["geometry", "bbox", "id"], ["id"], ["geometry"]])
def test_geoparquet_stays_where_its_columns_do(kept):
    column = {"covering": {"bbox": {"xmin": ["bbox", "xmin"], "ymax": ["bbox", "ymax"]}}}
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    fields = [pa.field(name, pa.binary()) for name in kept]
    assert carried("geo", geo, kept=fields) == (geo if len(kept) == 3 else None)


def test_features_of_hugging_face_follow_the_columns():
    label = {"names": ["x"], "_type": "ClassLabel"}
    copy = {"info": {"features": {"id": label, "gone": label}, "size": 1}, "fingerprint": "f"}
    found = carried("huggingface", copy)
    assert found["info"]["features"] == {
        "id": label,
        "predicted_label": {"dtype": "string", "_type": "Value"},
        "confidence": {"dtype": "float32", "_type": "Value"},
        "status": {"dtype": "string", "_type": "Value"},
    }
    assert (found["info"]["size"], found["fingerprint"]) == (1, "f")


def fastparquet_frame(path):
    return fastparquet.ParquetFile(str(path)).to_pandas()


def frames() -> dict[str, pd.DataFrame]:
    """Frames whose index pandas notes in the footer in another way each."""
    base = {"text": ["refund", "login", "card"], "n": pd.array([1, None, 3], dtype="Int64")}
    when = pd.date_range("2024-01-01", periods=3, name="when")
    pairs = pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["k", None])
    return {
        "range": pd.DataFrame(base),
        "other range": pd.DataFrame(base, index=pd.RangeIndex(5, 11, 2)),
        "named range": pd.DataFrame(base, index=pd.RangeIndex(3, name="row")),
        "unnamed": pd.DataFrame(base, index=["x", "y", "z"]),
        "dates": pd.DataFrame(base, index=when),
        "pairs": pd.DataFrame(base, index=pairs),
        "category": pd.DataFrame({**base, "c": pd.Categorical(["u", "v", "u"])}),
    }


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # fastparquet leaves files open
@pytest.mark.parametrize("name", frames())
@pytest.mark.parametrize("read", [pd.read_parquet, fastparquet_frame])
def test_the_index_of_pandas_comes_back(name, read, model, tmp_path):
    frame, source, output = frames()[name], tmp_path / "in.parquet", tmp_path / "out.parquet"
    frame.to_parquet(source)
    score(ScoreConfig(inputs=(source,), output=output, model=model, top_k=1))
    expected, found = read(source), read(output)
    pd.testing.assert_frame_equal(found[list(expected.columns)], expected)
    assert found["predicted_label"].notna().any()
    assert found["confidence"].dtype == np.float32


def test_an_index_that_is_left_out_is_no_index(model, tmp_path):
    source, output = tmp_path / "in.parquet", tmp_path / "out.parquet"
    frames()["dates"].to_parquet(source)
    score(ScoreConfig(inputs=(source,), output=output, model=model, columns=("text",)))
    found = pd.read_parquet(output)
    assert found.index.equals(pd.RangeIndex(3))
    copy = json.loads(pq.read_schema(output).metadata[b"pandas"])
    assert [column["name"] for column in copy["columns"]][:2] == ["text", "predicted_label"]
    assert copy["index_columns"] == []
