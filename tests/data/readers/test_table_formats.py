"""Folders that are tables: their dead files are never read, however a job comes to them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.object_store import BUCKET

from textbatch.data.readers.labelled import read_labelled
from textbatch.data.readers.listing import list_inputs
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.storage.location import location_of
from textbatch.errors import DataError, InputNotFoundError

deltalake = pytest.importorskip("deltalake")


def rows(*ids: int, **columns: object) -> pa.Table:
    texts = [f"text {number}" for number in ids]
    return pa.table({"id": pa.array(ids, pa.int64()), "text": texts, **columns})


def table(path: Path, *, partitioned: bool = False) -> deltalake.DeltaTable:
    """A table of rows 1 to 4, of which 2 is deleted, 3 is updated, and 4 came later."""
    key = {"partition_by": ["key"]} if partitioned else {}
    keys = {"key": ["a b", "a b", "c%/é"]} if partitioned else {}
    deltalake.write_deltalake(path, rows(1, 2, 3, **keys), **key)
    late = {"key": pa.array([None], pa.string())} if partitioned else {}
    deltalake.write_deltalake(path, rows(4, **late), mode="append")
    changed = deltalake.DeltaTable(path)
    changed.delete("id = 2")
    changed.update(predicate="id = 3", new_values={"text": "'changed'"})
    return changed


def read(*inputs, input_format="auto") -> list[int]:
    """The ids that a job would read."""
    found: list[int] = []
    for file in list_inputs([location_of(place) for place in inputs], input_format).files:
        with file.file.open() as opened:
            found += pq.read_table(opened, partitioning=None)["id"].to_pylist()
    return sorted(found)


@pytest.fixture(params=[False, True], ids=["flat", "partitioned"])
def delta(request, tmp_path) -> Path:
    table(tmp_path / "made" / "t", partitioned=request.param)
    # deltalake itself takes no such name.
    return (tmp_path / "made").rename(tmp_path / "with space %41") / "t"


def test_a_delta_table_is_its_live_files(delta):
    assert len(list(delta.rglob("*.parquet"))) > 3
    assert read(delta) == [1, 3, 4]
    assert read(delta.parent) == [1, 3, 4]
    assert read(delta.parents[1]) == [1, 3, 4]
    assert read(f"{delta}/**/*.parquet") == [1, 3, 4]
    assert read(f"{delta.parents[1]}/*/t") == [1, 3, 4]


def test_the_note_says_what_was_left_out(delta):
    dead = len(list(delta.rglob("*.parquet"))) - len(list_inputs([delta], "auto").files)
    (note,) = list_inputs([delta], "auto").notes()
    assert f"{delta} is a Delta table: its version 3 is read, {dead} files" in note


def test_a_folder_inside_a_table_is_that_part_of_it(tmp_path):
    table(tmp_path / "t", partitioned=True)
    assert read(tmp_path / "t" / "key=a%20b") == [1]
    assert read(f"{tmp_path}/t/key=*") == [1, 3, 4]
    (tmp_path / "link").symlink_to(tmp_path / "t" / "key=a%20b")
    assert read(tmp_path / "link") == [1]


def test_partitions_that_look_hidden_are_live_all_the_same(tmp_path):
    columns = {"_key": ["x", "y"]}
    deltalake.write_deltalake(tmp_path / "t", rows(1, 2, **columns), partition_by=["_key"])
    assert read(tmp_path / "t") == [1, 2]
    assert [file.partitions for file in list_inputs([tmp_path / "t"], "auto").files] == [
        (("_key", "x"),),
        (("_key", "y"),),
    ]


def test_a_single_file_is_read_only_while_it_is_live(tmp_path):
    folder = tmp_path / "t"
    alive = {Path(uri) for uri in table(folder).file_uris()}
    dead = set(folder.rglob("*.parquet")) - alive
    assert dead
    assert sorted(number for path in alive for number in read(path)) == [1, 3, 4]
    for path in dead:
        with pytest.raises(DataError, match="no longer part of the Delta table"):
            read(path)
    (tmp_path / "a.parquet").symlink_to(dead.pop())
    with pytest.raises(DataError, match="no longer part of the Delta table"):
        read(tmp_path / "a.parquet")


def test_training_reads_the_live_files_too(tmp_path):
    labels = {"label": ["a", "b", "a"]}
    deltalake.write_deltalake(tmp_path / "t", rows(1, 2, 3, **labels))
    deltalake.DeltaTable(tmp_path / "t").delete("id = 2")
    found = read_labelled([tmp_path / "t"], ReadOptions(), text_column="text", label_column="label")
    assert found.texts.to_pylist() == ["text 1", "text 3"]


def test_checkpoints_and_many_versions_are_read(tmp_path):
    changed = table(tmp_path / "t")
    changed.create_checkpoint()
    for number in range(5, 15):
        deltalake.write_deltalake(tmp_path / "t", rows(number), mode="append")
    changed = deltalake.DeltaTable(tmp_path / "t")
    changed.delete("id = 1")
    changed.create_checkpoint()
    changed.delete("id = 14")
    assert read(tmp_path / "t") == [3, 4, *range(5, 14)]


def test_without_the_library_a_delta_table_is_refused(delta, monkeypatch):
    monkeypatch.setitem(sys.modules, "deltalake", None)
    alive = next(delta.rglob("*.parquet"))
    for place in (delta, delta.parent, f"{delta}/**/*.parquet", alive):
        with pytest.raises(DataError, match=r"is a Delta table.*pip install 'textbatch\[delta\]'"):
            read(place)


def crafted(path: Path, protocol: dict, *, add=None, configuration=None, partitions=()) -> Path:
    """A table of one file whose log says what it is told to say."""
    (path / "_delta_log").mkdir(parents=True)
    pq.write_table(rows(1, 2), path / "part-0.parquet")
    fields = [
        {"name": name, "type": kind, "nullable": True, "metadata": {}}
        for name, kind in (("id", "long"), ("text", "string"), *((p, "string") for p in partitions))
    ]
    entries = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2, **protocol}},
        {
            "metaData": {
                "id": "x",
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps({"type": "struct", "fields": fields}),
                "partitionColumns": list(partitions),
                "configuration": configuration or {},
                "createdTime": 0,
            }
        },
        {
            "add": {
                "path": "part-0.parquet",
                "partitionValues": {},
                "size": (path / "part-0.parquet").stat().st_size,
                "modificationTime": 0,
                "dataChange": True,
                **(add or {}),
            }
        },
    ]
    log = path / "_delta_log" / f"{0:020d}.json"
    log.write_text("\n".join(map(json.dumps, entries)))
    return path


def features(*names: str) -> dict:
    both = {"readerFeatures": list(names), "writerFeatures": list(names)}
    return {"minReaderVersion": 3, "minWriterVersion": 7, **both}


VECTOR = {
    "storageType": "i",
    "pathOrInlineDv": "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L",
    "offset": 1,
    "sizeInBytes": 40,
    "cardinality": 1,
}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"protocol": features("deletionVectors"), "add": {"deletionVector": VECTOR}}, "uses "),
        (
            {
                "protocol": {"minReaderVersion": 2, "minWriterVersion": 5},
                "configuration": {"delta.columnMapping.mode": "name"},
            },
            "uses ",
        ),
        ({"protocol": features("somethingNew")}, "uses "),
        ({"protocol": {}, "add": {"path": "s3://elsewhere/part-0.parquet"}}, "stand elsewhere"),
        (
            {"protocol": {}, "partitions": ["p"], "add": {"partitionValues": {"p": "x"}}},
            "partitions that the names of its folders do not tell",
        ),
        ({"protocol": {}, "add": {"path": "part-1.parquet"}}, "has lost a file"),
    ],
)
def test_what_the_files_alone_do_not_tell_is_refused(settings, message, tmp_path):
    path = crafted(tmp_path / "t", **settings)
    with pytest.raises(DataError, match=message) as told:
        read(path)
    assert "Invalid" not in str(told.value)


def test_harmless_features_are_read(tmp_path):
    assert read(crafted(tmp_path / "t", features("deletionVectors", "timestampNtz"))) == [1, 2]


def test_a_damaged_log_is_refused(tmp_path):
    path = crafted(tmp_path / "t", {})
    (path / "_delta_log" / f"{0:020d}.json").write_text("{]")
    with pytest.raises(DataError, match="what deltalake cannot read"):
        read(path)


MARKS = {
    "Iceberg": ["metadata/00000-6b1f.metadata.json", "metadata/v1.metadata.json"],
    "Iceberg, packed": ["metadata/v3.gz.metadata.json"],
    "Hudi": [".hoodie/hoodie.properties"],
}


@pytest.mark.parametrize("kind", MARKS)
def test_other_tables_are_refused_however_they_are_named(kind, tmp_path):
    root = tmp_path / "warehouse" / "t"
    for name in MARKS[kind]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}")
    part = root / "data" / "day=1" / "part-0.parquet"
    part.parent.mkdir(parents=True)
    pq.write_table(rows(1), part)
    places = [root, root.parent, root / "data", root / "data" / "day=1", part]
    for place in [*places, f"{root}/data/*/*.parquet", f"{tmp_path}/*/t/data"]:
        message = f"a table of {kind[:7].strip(',')}.*write its rows to plain Parquet"
        with pytest.raises(DataError, match=message):
            read(place)


def test_what_only_looks_like_a_table_is_read(tmp_path):
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "notes.metadata.json").write_text("{}")
    (tmp_path / "in").mkdir()
    pq.write_table(rows(1), tmp_path / "in" / "a.parquet")
    assert read(tmp_path / "in") == [1]
    # A text file beside a table is none of its files.
    crafted(tmp_path / "t", {})
    (tmp_path / "t" / "notes.csv").write_text("id,text\n7,a\n")
    assert [file.name for file in list_inputs([tmp_path / "t" / "notes.csv"], "auto").files] == [
        "notes.csv"
    ]


def put(store, path: Path, key: str) -> None:
    for file in path.rglob("*"):
        if file.is_file():
            name = file.relative_to(path).as_posix()
            store.client.upload_file(str(file), BUCKET, f"{key}/{name}")


def test_tables_in_a_store_are_read_by_their_log(store, tmp_path):
    table(tmp_path / "t", partitioned=True).create_checkpoint()
    deltalake.write_deltalake(
        tmp_path / "t", rows(5, key=["a b"]), mode="append", partition_by=["key"]
    )
    alive = deltalake.DeltaTable(tmp_path / "t").get_add_actions(flatten=True)
    put(store, tmp_path / "t", "lake/t")
    uri = f"s3://{BUCKET}/lake"
    assert read(f"{uri}/t") == read(uri) == read(f"{uri}/t/**/*.parquet") == [1, 3, 4, 5]
    assert read(f"{uri}/*/key=*") == [1, 3, 4, 5]
    assert read(f"{uri}/t/key=a%20b") == [1, 5]
    dead = {f.relative_to(tmp_path / "t").as_posix() for f in (tmp_path / "t").rglob("*.parquet")}
    dead = {name for name in dead if not name.startswith("_")}
    dead -= {path.replace("%25", "%") for path in pa.table(alive)["path"].to_pylist()}
    for name in dead:
        with pytest.raises(DataError, match="no longer part"):
            read(f"{uri}/t/{name}")


@pytest.mark.parametrize("mark", [MARKS["Iceberg"][0], MARKS["Hudi"][0]])
def test_other_tables_in_a_store_are_refused(mark, store):
    sink = pa.BufferOutputStream()
    pq.write_table(rows(1), sink)
    part = "lake/t/data/day=1/part-0.parquet"
    store.client.put_object(Bucket=BUCKET, Key=f"lake/t/{mark}", Body=b"{}")
    store.client.put_object(Bucket=BUCKET, Key=part, Body=sink.getvalue().to_pybytes())
    for key in (
        "lake",
        "lake/t",
        "lake/t/data",
        "lake/t/data/day=1",
        part,
        "lake/*/data/*/*.parquet",
    ):
        with pytest.raises(DataError, match="a table of"):
            read(f"s3://{BUCKET}/{key}")


def test_a_table_without_live_files_has_no_input(tmp_path):
    table(tmp_path / "t").delete()
    with pytest.raises(InputNotFoundError):
        read(tmp_path / "t")
