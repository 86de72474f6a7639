from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.output import parquet_file as writer
from textbatch.data.output.parquet_file import ParquetOutput
from textbatch.data.storage import atomic_file as files
from textbatch.data.storage.atomic_file import NewFile
from textbatch.errors import AccessError, OutputError, StorageError

BATCH = pa.record_batch({"n": list(range(10)), "text": [f"text {i}" for i in range(10)]})


def open_output(path: Path, *, overwrite: bool = False) -> ParquetOutput:
    return ParquetOutput(path, BATCH.schema, run_id="0123", overwrite=overwrite)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture
def old(tmp_path) -> Path:
    path = tmp_path / "out.parquet"
    path.write_bytes(b"precious")
    return path


def test_nothing_is_at_the_place_before_commit_and_all_of_it_after(tmp_path):
    path = tmp_path / "out.parquet"
    output = open_output(path)
    output.write(BATCH)
    output.write(BATCH)
    assert not path.exists()
    output.commit({"owner": "data"})
    assert names(tmp_path) == ["out.parquet"]
    assert pq.read_table(path).equals(pa.Table.from_batches([BATCH, BATCH]))
    assert pq.read_metadata(path).metadata[b"owner"] == b"data"


def test_an_output_without_rows_has_its_schema(tmp_path):
    output = open_output(tmp_path / "out.parquet")
    output.commit({})
    assert pq.read_table(tmp_path / "out.parquet").schema.equals(BATCH.schema)


def test_abort_leaves_nothing(tmp_path):
    output = open_output(tmp_path / "out.parquet")
    output.write(BATCH)
    output.abort()
    assert names(tmp_path) == []


def test_abort_leaves_the_old_output(old):
    output = open_output(old, overwrite=True)
    output.write(BATCH)
    output.abort()
    output.abort()
    assert old.read_bytes() == b"precious"
    assert names(old.parent) == ["out.parquet"]


def test_row_groups_are_cut_by_rows_and_by_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "ROW_GROUP_ROWS", 25)
    output = open_output(tmp_path / "rows.parquet")
    for _ in range(7):
        output.write(BATCH)
    output.commit({})
    groups = pq.ParquetFile(tmp_path / "rows.parquet").metadata
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [30, 30, 10]

    monkeypatch.setattr(writer, "ROW_GROUP_BYTES", 2 * BATCH.nbytes)
    output = open_output(tmp_path / "bytes.parquet")
    for _ in range(4):
        output.write(BATCH)
    output.commit({})
    assert pq.read_metadata(tmp_path / "bytes.parquet").num_row_groups == 2


def test_pages_have_checksums(tmp_path):
    path = tmp_path / "out.parquet"
    output = open_output(path)
    output.write(BATCH)
    output.commit({})
    damaged = bytearray(path.read_bytes())
    column = pq.read_metadata(path).row_group(0).column(1)
    start = column.dictionary_page_offset or column.data_page_offset
    damaged[start + column.total_compressed_size - 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(path, page_checksum_verification=True)


FAILURES = [
    (errno.ENOSPC, StorageError, "No space left"),
    (errno.EIO, StorageError, "Input/output error"),
    (errno.EDQUOT, StorageError, "quota"),
    (errno.EACCES, AccessError, "Permission denied"),
    (errno.EROFS, AccessError, "Read-only"),
    (errno.ENOENT, OutputError, "No such file"),
]


@pytest.mark.parametrize(("number", "kind", "message"), FAILURES)
@pytest.mark.parametrize(
    "place",
    [
        "os.fsync",
        "os.replace",
        "os.pwrite",
        "os.pread",
        "textbatch.data.output.parquet_file.pq.read_metadata",
    ],
)
def test_a_failing_step_of_commit_has_its_class_and_leaves_the_old_output(
    place, number, kind, message, old, monkeypatch
):
    def fail(*_args, **_keywords):
        raise OSError(number, os.strerror(number))

    output = open_output(old, overwrite=True)
    output.write(BATCH)
    monkeypatch.setattr(place, fail)
    with pytest.raises(kind, match=f"cannot write .*out.parquet: .*{message}"):
        output.commit({})
    output.abort()
    assert old.read_bytes() == b"precious"
    assert names(old.parent) == ["out.parquet"]


@pytest.mark.parametrize(("number", "kind", "message"), FAILURES)
def test_a_failing_write_has_its_class_and_leaves_the_old_output(
    number, kind, message, old, monkeypatch
):
    written = os.write
    writes = []

    def fail_third(descriptor, data):
        writes.append(len(data))
        if len(writes) > 2:
            raise OSError(number, os.strerror(number))
        return written(descriptor, data)

    monkeypatch.setattr(os, "write", fail_third)
    monkeypatch.setattr(files, "_BUFFER_BYTES", 16)
    monkeypatch.setattr(writer, "ROW_GROUP_ROWS", 1)
    output = open_output(old, overwrite=True)
    with pytest.raises(kind, match=message):
        list(map(output.write, [BATCH] * 9))
    output.abort()
    assert old.read_bytes() == b"precious"
    assert names(old.parent) == ["out.parquet"]


def test_a_finished_file_with_too_few_rows_is_not_published(old):
    output = open_output(old, overwrite=True)
    output.write(BATCH)
    output.rows += 1
    with pytest.raises(StorageError, match="holds 10 rows of 11"):
        output.commit({})
    output.abort()
    assert old.read_bytes() == b"precious"


def test_an_output_that_another_process_made_meanwhile_stays(tmp_path):
    path = tmp_path / "out.parquet"
    output = open_output(path)
    output.write(BATCH)
    path.write_bytes(b"of the other process")
    with pytest.raises(OutputError, match="exists; add --overwrite"):
        output.commit({})
    output.abort()
    assert path.read_bytes() == b"of the other process"
    assert names(tmp_path) == ["out.parquet"]


def test_a_link_planted_under_the_temporary_name_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / ".out.parquet.0123.tmp").symlink_to(victim)
    with pytest.raises(OutputError, match="cannot create"):
        open_output(tmp_path / "out.parquet")
    assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (".", "is a directory; name a file"),
        ("missing/out.parquet", "there is no directory .*missing; create it"),
        ("old.parquet/out.parquet", "there is no directory"),
        ("old.parquet", "exists; add --overwrite"),
    ],
)
def test_places_where_no_output_can_be_made(place, message, tmp_path):
    (tmp_path / "old.parquet").write_bytes(b"precious")
    with pytest.raises(OutputError, match=message):
        open_output(tmp_path / place)
    assert names(tmp_path) == ["old.parquet"]


def test_the_file_is_synced_before_it_is_moved_and_its_directory_after(tmp_path, monkeypatch):
    steps: list[str] = []

    def recorded(name):
        real = getattr(os, name)

        def call(target, *arguments):
            kind = "directory" if isinstance(target, int) and is_directory(target) else "file"
            steps.append(f"{name} {kind}")
            return real(target, *arguments)

        return call

    def is_directory(descriptor: int) -> bool:
        return stat.S_ISDIR(os.fstat(descriptor).st_mode)

    output = open_output(tmp_path / "out.parquet")
    output.write(BATCH)
    for name in ("write", "pwrite", "fsync", "replace"):
        monkeypatch.setattr(os, name, recorded(name))
    output.commit({})
    order = ["write file", "pwrite file", "fsync file", "replace file", "fsync directory"]
    assert [step for i, step in enumerate(steps) if i == 0 or steps[i - 1] != step] == order


def test_a_file_that_could_not_be_created_can_be_closed(tmp_path):
    (tmp_path / "there").write_bytes(b"mine")
    file = NewFile.__new__(NewFile)
    with pytest.raises(FileExistsError):
        file.__init__(tmp_path / "there")
    # As Python does when it lets go of it.
    file.close()
    assert (tmp_path / "there").read_bytes() == b"mine"
