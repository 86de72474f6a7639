"""Keys that would lead out of a folder, or to another object: left out, told, never followed."""

from __future__ import annotations

import io

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts

from textbatch import score
from textbatch.errors import InputNotFoundError
from textbatch.scoring.verify import verify_output


def parquet(rows: int) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": pa.array(random_texts(20)[:rows], pa.string())}), sink)
    return sink.getvalue()


@pytest.fixture
def memory():
    """A store that takes any key."""
    found = fsspec.filesystem("memory")
    found.store.clear()
    yield found
    found.store.clear()


def keys_of(prefix: str, target: str) -> list[str]:
    return [
        f"{prefix}/{name}"
        for name in (
            f"/{target}",
            f"/../{target}",
            "../up.parquet",
            "a/./b.parquet",
            "a//c.parquet",
            f"{'x' * 260}.parquet",
        )
    ]


def test_a_key_decides_no_place_on_this_machine(memory, model, tmp_path):
    precious = tmp_path / "precious.parquet"
    precious.write_bytes(b"precious")
    for key in keys_of("bucket/in", str(precious)):
        memory.pipe_file(f"/{key}", parquet(3))
    memory.pipe_file("/bucket/in/good.parquet", parquet(5))
    done = score("memory://bucket/in", tmp_path / "out", model=model, if_exists="replace")
    assert done.rows_out == 5
    assert done.files == {
        "found": 1,
        "scored": 1,
        "resumed": 0,
        "known": 0,
        "stray": 0,
        "stale": 0,
        "rescored": 0,
    }
    (note,) = done.notes
    assert note.startswith(
        "6 objects are left out: parts of their names are empty, . or .., or too"
    )
    assert precious.read_bytes() == b"precious"
    visible = {path.name for path in (tmp_path / "out").iterdir()}
    assert visible == {"good.parquet", "_SUCCESS", "_manifest.jsonl"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "precious.parquet"]
    assert verify_output(tmp_path / "out")


def test_nothing_but_such_keys_is_told(memory, model, tmp_path):
    memory.pipe_file("/bucket/in//etc/x.parquet", parquet(3))
    with pytest.raises(InputNotFoundError, match=r"but 1 with empty, \. or \.\. in their names"):
        score("memory://bucket/in", tmp_path / "out", model=model)


def test_the_rows_of_a_key_are_its_own(store, model, tmp_path):
    store.put("dbl/a.parquet", parquet(3))
    store.put("dbl//a.parquet", parquet(4))
    store.put("a.parquet", parquet(5))
    store.put("x/../a.parquet", parquet(6))
    store.put("/a.parquet", parquet(7))
    keys = {"dbl/a.parquet": 3, "dbl//a.parquet": 4, "a.parquet": 5, "x/../a.parquet": 6}
    for number, (key, rows) in enumerate({**keys, "/a.parquet": 7}.items()):
        done = score(f"s3://bucket/{key}", tmp_path / f"{number}.parquet", model=model)
        assert done.rows_out == rows
    with pytest.raises(InputNotFoundError):
        score("s3://bucket/no/../a.parquet", tmp_path / "none.parquet", model=model)


def test_the_command_line_does_not_tidy_a_key(store, model, in_process, tmp_path):
    store.put("dbl/a.parquet", parquet(3))
    store.put("dbl//a.parquet", parquet(4))
    done = in_process(
        "score", "s3://bucket/dbl//a.parquet", "s3://bucket/out//b.parquet", "--model", model
    )
    assert done.returncode == 0, done.stderr
    assert store.table("out//b.parquet").num_rows == 4
    assert store.keys("out/b") == []
    for command in ("verify", "inspect"):
        assert in_process(command, "s3://bucket/out//b.parquet").returncode == 0
        assert in_process(command, "s3://bucket/out/b.parquet").returncode == 68
