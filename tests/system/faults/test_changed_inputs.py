"""Inputs that change unseen: their size and time are the old ones, and so are both ends."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from textbatch import score
from textbatch.data.output import journal
from textbatch.errors import DataError, OutputError, StorageError
from textbatch.scoring import chunks

#: A text between two others that fill more than 64 KiB each.
ROWS, PLACE, FILL = 60, 30, "x" * 4_000
KINDS = ["parquet", "csv", "jsonl"]


def write(path: Path, text: str) -> Path:
    """A file that differs by one text in its middle. All have the same size."""
    texts = [f"invoice {FILL}" if i % 2 else f"login {FILL}" for i in range(ROWS)]
    texts[PLACE] = text + FILL
    table = pa.table({"id": list(range(ROWS)), "text": texts})
    if path.suffix == ".parquet":
        plain = {"use_dictionary": False, "write_statistics": False}
        pq.write_table(table, path, compression="none", row_group_size=10, **plain)
    elif path.suffix == ".csv":
        pc.write_csv(table, path)
    else:
        lines = [f'{{"id": {i}, "text": "{text}"}}\n' for i, text in enumerate(texts)]
        path.write_text("".join(lines))
    os.utime(path, ns=(10**18, 10**18))
    return path


def alike(path: Path, text: str) -> None:
    """Another file at this place, which looks like the old one."""
    before, edges = path.stat(), ends(path)
    path.unlink()
    write(path, text)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert ends(path) == edges


def ends(path: Path) -> tuple[bytes, bytes]:
    content = path.read_bytes()
    return content[:65536], content[-65536:]


@pytest.fixture(params=KINDS)
def source(request, tmp_path) -> Path:
    return write(tmp_path / f"in.{request.param}", "refund now ")


@pytest.fixture
def options(model):
    return {"model": model, "chunk_rows": 10, "probabilities": True}


@pytest.fixture
def dies(monkeypatch):
    """Ends a run after some chunks were noted. A second run is not disturbed."""

    def after(records: int) -> None:
        left = [records]

        def place(name: str) -> None:
            left[0] -= name == "journal-written"
            if left[0] == 0 and name == "journal-written":
                raise OSError(errno.EIO, "broken")

        monkeypatch.setattr(journal, "failpoint", place)

    return after


def expected(source: Path, options, tmp_path: Path) -> pa.Table:
    score(source, tmp_path / "expected.parquet", **options)
    return pq.read_table(tmp_path / "expected.parquet")


@pytest.mark.parametrize("rows", [10, 7, 25])
def test_a_file_made_anew_before_a_resume_gets_no_answer_of_the_old_one(
    rows, source, options, dies, tmp_path
):
    out = tmp_path / "out.parquet"
    dies(5)
    with pytest.raises(StorageError):
        score(source, out, **options)
    alike(source, "courier!!! ")
    again = score(source, out, **{**options, "chunk_rows": rows})
    assert again.rows_resumed == 0
    assert "started over" in " ".join(again.notes)
    assert pq.read_table(out).equals(expected(source, options, tmp_path))
    assert not list(tmp_path.glob(".out*"))


def test_what_was_moved_or_restored_goes_on_where_it_stopped(source, options, dies, tmp_path):
    out = tmp_path / "out.parquet"
    dies(5)
    with pytest.raises(StorageError):
        score(source, out, **options)
    shutil.copy2(source, tmp_path / "copy")
    (tmp_path / "copy").replace(source)
    again = score(source, out, **options)
    assert again.rows_resumed == 50
    assert pq.read_table(out).equals(expected(source, options, tmp_path))


@pytest.mark.parametrize("how", ["edited", "replaced"])
def test_a_file_that_changes_in_its_middle_during_a_run_ends_it(
    how, source, options, tmp_path, monkeypatch
):
    real, changed = chunks.decode_texts, []

    def change(column: pa.Array):
        if not changed:
            changed.append(True)
            if how == "replaced":
                alike(source, "courier!!! ")
            else:
                other = write(tmp_path / f"other{source.suffix}", "courier!!! ")
                source.write_bytes(other.read_bytes())
                os.utime(source, ns=(10**18, 10**18))
        return real(column)

    monkeypatch.setattr(chunks, "decode_texts", change)
    with pytest.raises(DataError, match="changed while it was being read"):
        score(source, tmp_path / "out.parquet", **options)
    assert not (tmp_path / "out.parquet").exists()


def test_an_output_of_the_old_content_is_not_taken_for_one_of_the_new(source, options, tmp_path):
    out = tmp_path / "out.parquet"
    score(source, out, **options)
    alike(source, "courier!!! ")
    with pytest.raises(OutputError, match="made from another input"):
        score(source, out, if_exists="skip", **options)


def test_an_output_of_a_restored_input_is_of_the_same_job(source, options, tmp_path):
    out = tmp_path / "out.parquet"
    score(source, out, **options)
    shutil.copy2(source, tmp_path / "copy")
    (tmp_path / "copy").replace(source)
    assert score(source, out, if_exists="skip", **options).state == "skipped"


def test_of_a_folder_only_files_of_other_content_are_scored_again(options, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for kind in KINDS:
        write(folder / f"{kind}.{kind}", "refund now ")
    score(folder, out, incremental=True, **options)
    shutil.copytree(folder, tmp_path / "restored", copy_function=shutil.copy2)
    shutil.rmtree(folder)
    (tmp_path / "restored").rename(folder)
    assert score(folder, out, incremental=True, **options).state == "skipped"
    assert score(folder, out, if_exists="skip", **options).state == "skipped"

    alike(folder / "csv.csv", "courier!!! ")
    with pytest.raises(OutputError, match="made from other files"):
        score(folder, out, if_exists="skip", **options)
    again = score(folder, out, incremental=True, **options)
    assert again.files == {
        "found": 3,
        "scored": 1,
        "resumed": 0,
        "known": 2,
        "stray": 0,
        "stale": 0,
        "rescored": 0,
    }
    found = pq.read_table(out / "csv.parquet")
    assert found.equals(expected(folder / "csv.csv", options, tmp_path))


def test_a_finished_part_of_the_old_content_is_no_part_of_the_resumed_folder(
    options, tmp_path, dies
):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in "abc":
        write(folder / f"{name}.csv", "refund now ")
    dies(5 + 3)
    with pytest.raises(StorageError):
        score(folder, out, **options)
    alike(folder / "a.csv", "courier!!! ")
    with pytest.raises(OutputError, match="made from another input"):
        score(folder, out, **options)
    again = score(folder, out, if_exists="replace", **options)
    assert (again.rows_in, again.rows_out) == (3 * ROWS, 3 * ROWS)
    found = pq.read_table(out / "a.parquet")
    assert found.equals(expected(folder / "a.csv", options, tmp_path))
