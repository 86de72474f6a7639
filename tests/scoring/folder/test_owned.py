"""Files of others in an output folder stay what they are."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts, run_cli, write_texts

from textbatch import score
from textbatch.errors import DataError, OutputError
from textbatch.report.listener import Listener
from textbatch.scoring.verify import verify_output


@pytest.fixture(scope="module")
def scored(tmp_path_factory, model) -> Path:
    """`in` with a, b and c, scored into `out`, and `single.parquet`, the output of another job."""
    folder = tmp_path_factory.mktemp("owned")
    (folder / "in").mkdir()
    for name in "abc":
        write_texts(folder / "in" / f"{name}.parquet", random_texts(20, seed=ord(name)))
    score(folder / "in", folder / "out", model=model)
    score(folder / "in" / "a.parquet", folder / "single.parquet", model=model)
    return folder


@pytest.fixture
def copy(scored, tmp_path) -> Path:
    shutil.copytree(scored, tmp_path / "copy")
    return tmp_path / "copy"


def state_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def foreign(path: Path) -> None:
    pq.write_table(pa.table({"precious": [1, 2, 3]}), path)


def of_another_job(path: Path) -> None:
    (single,) = (above / "single.parquet" for above in path.parents if above.name == "copy")
    shutil.copy(single, path)


def of_another_program(path: Path) -> None:
    path.write_text("text,label\n")


@pytest.mark.parametrize("put", [foreign, of_another_job, of_another_program])
@pytest.mark.parametrize("name", ["a.parquet", "z.parquet", "sub/z.parquet"])
@pytest.mark.parametrize("how", [{"if_exists": "replace"}, {"incremental": True}])
def test_a_file_of_others_is_neither_replaced_nor_removed(put, name, how, copy, model):
    place = copy / "out" / name
    place.parent.mkdir(exist_ok=True)
    put(place)
    # So that the file under its name is to be scored again.
    write_texts(copy / "in" / "a.parquet", random_texts(30, seed=9))
    before = state_of(copy / "out")
    with pytest.raises(OutputError, match=f"holds {name}, which this output did not write; move"):
        score(copy / "in", copy / "out", model=model, **how)
    assert state_of(copy / "out") == before


@pytest.mark.parametrize("put", [foreign, of_another_job])
def test_a_file_under_the_name_of_a_part_that_is_not_there_stays_too(put, copy, model):
    write_texts(copy / "in" / "new.parquet", random_texts(5))
    put(copy / "out" / "new.parquet")
    before = state_of(copy / "out")
    for how in ({"if_exists": "replace"}, {"incremental": True}):
        with pytest.raises(OutputError, match=r"holds new\.parquet, which this output did not"):
            score(copy / "in", copy / "out", model=model, **how)
        assert state_of(copy / "out") == before


@pytest.mark.parametrize("keep", [0, 1000])
def test_a_part_of_its_own_that_was_damaged_is_replaced(keep, copy, model):
    part = copy / "out" / "a.parquet"
    whole = pq.read_table(part)
    part.write_bytes(part.read_bytes()[:keep])
    assert score(copy / "in", copy / "out", model=model, if_exists="replace").state == "done"
    assert pq.read_table(part).equals(whole)
    verify_output(copy / "out")


class Puts(Listener):
    """Has a file appear in the output as soon as the first rows are done."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def advance(self, rows: int, share: float | None = None) -> None:
        if not self._place.exists():
            foreign(self._place)


@pytest.mark.parametrize("name", ["c.parquet", "z.parquet"])
def test_a_file_that_comes_while_the_job_runs_stays_and_the_job_goes_on_without_it(
    name, copy, model
):
    shutil.rmtree(copy / "out")
    place = copy / "out" / name
    with pytest.raises(OutputError, match=name):
        score(copy / "in", copy / "out", model=model, progress=Puts(place))
    assert pq.read_table(place).column_names == ["precious"]
    assert not (copy / "out" / "_SUCCESS").exists()
    place.rename(copy / "moved.parquet")
    done = score(copy / "in", copy / "out", model=model)
    assert (done.state, done.rows_in) == ("done", 60)
    assert done.rows_resumed >= 40
    verify_output(copy / "out")


@pytest.mark.parametrize("place", ["part-published", "part-noted", "success-removed"])
@pytest.mark.parametrize("flags", [(), ("--overwrite",), ("--overwrite", "--top-k", "1")])
def test_parts_of_a_run_that_died_are_its_own_for_the_next_one(place, flags, copy, model):
    shutil.rmtree(copy / "out")
    job = ("score", copy / "in", copy / "out", "--model", model)
    killed = run_cli(*job, TEXTBATCH_FAILPOINTS=f"{place}:1:0")
    assert killed.returncode == -signal.SIGKILL
    # An input is gone: its part is none of the next job's, and is removed as one of this output.
    (copy / "in" / "a.parquet").unlink()
    done = run_cli(*job, *flags)
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in (copy / "out").iterdir())
    assert names == ["_SUCCESS", "_manifest.jsonl", "b.parquet", "c.parquet"]
    verify_output(copy / "out")


def test_a_damaged_manifest_owns_what_can_still_be_read_of_it(copy, model):
    manifest = copy / "out" / "_manifest.jsonl"
    first, *others = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(b"".join([first[:-20] + b"\n", *others]))
    with pytest.raises(DataError):
        verify_output(copy / "out")
    with pytest.raises(OutputError, match=r"holds a\.parquet, which this output did not write"):
        score(copy / "in", copy / "out", model=model, if_exists="replace")
    (copy / "out" / "a.parquet").unlink()
    score(copy / "in", copy / "out", model=model, if_exists="replace")
    verify_output(copy / "out")


def test_a_pipe_in_the_folder_holds_nobody_up(copy, model):
    os.mkfifo(copy / "out" / "pipe")
    with pytest.raises(OutputError, match="holds pipe, which this output did not write"):
        score(copy / "in", copy / "out", model=model, if_exists="replace")


def test_a_folder_by_a_link_is_the_folder(copy, model):
    (copy / "elsewhere").mkdir()
    link = copy / "elsewhere" / "link"
    link.symlink_to(copy / "out")
    assert score(copy / "in", link, model=model, if_exists="skip").state == "skipped"
    assert score(copy / "in", link, model=model, if_exists="replace").state == "done"
    assert [path.name for path in (copy / "elsewhere").iterdir()] == ["link"]
    verify_output(copy / "out")
