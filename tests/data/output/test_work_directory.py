from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from textbatch.data.output.folder import OutputFolder
from textbatch.data.output.journal import Journal
from textbatch.data.output.ledger import Ledger
from textbatch.data.output.work_directory import WorkDirectory, work_directory_of
from textbatch.errors import AccessError, OutputError, TryAgainError

RUN = "0123456789abcdef"


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_one_run_holds_the_lock_and_the_other_is_told_by_whom(tmp_path):
    output = tmp_path / "out.parquet"
    first = WorkDirectory(output, RUN)
    with pytest.raises(TryAgainError, match=rf"written by process {os.getpid()} .*run {RUN}"):
        WorkDirectory(output, "1" * 16)
    first.release(keep=False)
    assert names(tmp_path) == []
    WorkDirectory(output, RUN).release(keep=False)


def test_outputs_side_by_side_do_not_lock_each_other(tmp_path):
    works = [WorkDirectory(tmp_path / name, RUN) for name in ("a", "b", "a.b")]
    for work in works:
        work.release(keep=False)
    assert names(tmp_path) == []


_DIE = """
import os, sys
from pathlib import Path
from textbatch.data.output.folder import OutputFolder
from textbatch.data.output.journal import Journal
from textbatch.data.output.ledger import Ledger
from textbatch.data.output.work_directory import WorkDirectory
work = WorkDirectory(Path(sys.argv[1]), "f" * 16)
work.journal.write_bytes(b"journal")
os._exit(9)
"""


def test_the_lock_of_a_dead_process_is_taken_over(tmp_path):
    output = tmp_path / "out.parquet"
    first = WorkDirectory(output, RUN)
    assert not first.inherited
    first.release(keep=False)
    subprocess.run([sys.executable, "-c", _DIE, str(tmp_path / "b.parquet")], check=False)
    assert names(work_directory_of(tmp_path / "b.parquet")) == ["journal", "lock"]
    work = WorkDirectory(tmp_path / "b.parquet", RUN)
    assert work.inherited
    assert work.journal.read_bytes() == b"journal"
    work.release(keep=True)
    again = WorkDirectory(tmp_path / "b.parquet", RUN)
    assert again.inherited
    again.release(keep=False)
    assert not work_directory_of(tmp_path / "b.parquet").exists()


def test_only_this_outputs_temporary_files_are_removed(tmp_path):
    stale = f".out.parquet.{'a' * 16}.tmp"
    others = [".out.parquet.tmp", f".out.parquet2.{'a' * 16}.tmp", f".xout.parquet.{'a' * 16}.tmp"]
    for name in (stale, *others):
        (tmp_path / name).write_bytes(b"")
    work = WorkDirectory(tmp_path / "out.parquet", RUN)
    work.remove_leftovers()
    work.release(keep=False)
    assert names(tmp_path) == sorted(others)


def test_whatever_else_lies_in_the_directory_stays(tmp_path):
    work = WorkDirectory(tmp_path / "out.parquet", RUN)
    (work.path / "note").write_bytes(b"mine")
    work.release(keep=False)
    assert names(work.path) == ["note"]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_something_else_in_its_place_is_not_used(kind, tmp_path):
    place = work_directory_of(tmp_path / "out.parquet")
    (tmp_path / "elsewhere").mkdir()
    if kind == "file":
        place.write_bytes(b"precious")
    else:
        place.symlink_to("elsewhere")
    with pytest.raises(OutputError, match="is not a directory; move it away"):
        WorkDirectory(tmp_path / "out.parquet", RUN)
    assert names(tmp_path / "elsewhere") == []


def test_the_directory_is_for_the_owner_alone(tmp_path):
    work = WorkDirectory(tmp_path / "out.parquet", RUN)
    assert work.path.stat().st_mode & 0o777 == 0o700
    assert (work.path / "lock").stat().st_mode & 0o777 == 0o600
    work.release(keep=False)


@pytest.mark.parametrize("name", ["lock", "journal", "parts"])
def test_a_hard_link_planted_under_a_name_is_not_cut_off(name, tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    work = work_directory_of(tmp_path / "out.parquet")
    work.mkdir(0o700)
    os.link(victim, work / name)

    def use():
        directory = WorkDirectory(tmp_path / "out.parquet", RUN)
        try:
            Journal(directory.journal, key="k", num_labels=2, whole=False, total_rows=None)
            Ledger(directory.parts, "a" * 64)
        finally:
            directory.release(keep=True)

    with pytest.raises(AccessError, match="is linked from elsewhere, or is not this user's file"):
        use()
    assert victim.read_bytes() == b"precious"


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
@pytest.mark.parametrize("name", ["", "lock"])
def test_what_another_user_planted_is_not_taken_over(name, tmp_path):
    work = work_directory_of(tmp_path / "out.parquet")
    work.mkdir(0o700)
    (work / "lock").touch(0o600)
    os.chown(work / name, 4321, 4321)
    with pytest.raises(AccessError, match=r"another user|not this user's"):
        WorkDirectory(tmp_path / "out.parquet", RUN)


def test_the_same_folder_by_a_link_has_one_lock(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link").symlink_to(tmp_path / "real")
    places = [
        OutputFolder(path).lock_place
        for path in (tmp_path / "real", tmp_path / "elsewhere" / "link", tmp_path / "real" / ".")
    ]
    held = WorkDirectory(places[0], RUN)
    for place in places[1:]:
        with pytest.raises(TryAgainError):
            WorkDirectory(place, "1" * 16)
    held.release(keep=False)


def test_the_root_is_no_output():
    with pytest.raises(OutputError, match="/ cannot be an output; name a folder in it"):
        OutputFolder(Path("/"))
