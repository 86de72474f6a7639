from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.readers.hive_partitions import with_partitions
from textbatch.data.readers.source import open_source
from textbatch.errors import DataError


def opened(path, partitions, *, as_columns=False):
    return with_partitions(open_source(path), partitions, as_columns=as_columns)


def write(path, **columns):
    pq.write_table(pa.table({"text": ["a", "b"], **columns}), path)
    return path


SAME = [
    (pa.array([2024, 2024]), "2024"),
    (pa.array([2024, 2024], pa.int16()), "2024"),
    (pa.array(["a b", "a b"]), "a b"),
    (pa.array(["x", "x"]).dictionary_encode(), "x"),
    (pa.array(["x", "x"], pa.large_string()), "x"),
    (pa.array([b"x", b"x"]), "x"),
    (pa.array([True, True]), "true"),
    (pa.array([1.5, 1.5]), "1.5"),
    (pa.array([Decimal("1.50")] * 2), "1.50"),
    (pa.array([dt.date(2024, 2, 1)] * 2), "2024-02-01"),
    (pa.array([dt.datetime(2024, 2, 1, 3)] * 2), "2024-02-01 03:00:00"),
    (pa.array([None, None], pa.string()), None),
]


@pytest.mark.parametrize(("column", "text"), SAME, ids=lambda value: str(value)[-12:])
@pytest.mark.parametrize("folder", ["key", "KEY"])
def test_a_column_that_the_folder_repeats_stays_as_it_is(column, text, folder, tmp_path):
    path = write(tmp_path / "a.parquet", key=column)
    for as_columns in (False, True):
        source = opened(path, [(folder, text)], as_columns=as_columns)
        assert source.schema.names == ["text", "key"]
        (batch,) = source.batches(["key", "text"], 10)
        assert batch["key"].to_pylist() == column.to_pylist()


OTHER = [
    (pa.array([2024, 2023]), "2024"),
    (pa.array([2024, None]), "2024"),
    (pa.array(["x", "x"]), None),
    (pa.array(["x", "y"]).dictionary_encode(), "x"),
    (pa.array([1, 1]), "one"),
    (pa.array([[1], [1]]), "1"),
    (pa.array([None, None], pa.string()), "null"),
]


@pytest.mark.parametrize(("column", "text"), OTHER, ids=lambda value: str(value)[-12:])
def test_a_column_of_other_values_than_its_folder_is_refused(column, text, tmp_path):
    path = write(tmp_path / "a.parquet", key=column)
    source = opened(path, [("Key", text)])
    with pytest.raises(DataError, match="column 'key' of other values than its folder key=…"):
        list(source.batches(["text", "key"], 10))
    assert sum(map(len, source.batches(["text"], 10))) == 2


def test_other_keys_become_columns_where_they_are_wanted(tmp_path):
    path = write(tmp_path / "a.parquet", key=pa.array([1, 1]))
    keys = [("key", "1"), ("day", "x"), ("none", None)]
    assert opened(path, keys).schema.names == ["text", "key"]
    source = opened(path, keys, as_columns=True)
    assert source.schema.names == ["text", "key", "day", "none"]
    (batch,) = source.batches(source.schema.names, 10)
    assert batch.to_pylist()[0] == {"text": "a", "key": 1, "day": "x", "none": None}
