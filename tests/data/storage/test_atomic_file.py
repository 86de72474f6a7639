from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from textbatch.data.output.small_table import write_table
from textbatch.data.storage.atomic_directory import atomic_directory
from textbatch.data.storage.atomic_file import (
    atomic_file,
    sync_directory,
    temporary_of,
)
from textbatch.data.storage.names import hidden_beside
from textbatch.errors import InterruptError, OutputError, StorageError, TerminatedError

OWNER = "0123456789abcdef"


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def write(path: Path, data: bytes = b"new", **settings) -> None:
    with atomic_file(path, **settings) as file:
        file.buffered.write(data)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def old(tmp_path) -> Path:
    path = tmp_path / "report.json"
    path.write_bytes(b"old")
    return path


def test_readers_see_the_old_file_until_the_new_one_is_whole(old):
    with atomic_file(old) as file:
        file.buffered.write(b"new")
        file.buffered.flush()
        assert old.read_bytes() == b"old"
    assert old.read_bytes() == b"new"
    assert names(old.parent) == ["report.json"]


def test_the_file_is_synced_before_it_is_moved_and_its_directory_after(old, monkeypatch):
    steps: list[str] = []

    def recorded(name):
        real = getattr(os, name)

        def call(target, *arguments):
            directory = isinstance(target, int) and stat.S_ISDIR(os.fstat(target).st_mode)
            steps.append(f"{name} {'directory' if directory else 'file'}")
            return real(target, *arguments)

        return call

    for name in ("write", "fsync", "replace"):
        monkeypatch.setattr(os, name, recorded(name))
    write(old)
    assert steps == ["write file", "fsync file", "replace file", "fsync directory"]


@pytest.mark.parametrize(
    "error", [ValueError, KeyboardInterrupt, InterruptError, SystemExit, TerminatedError]
)
def test_nothing_is_left_of_a_body_that_fails_or_is_interrupted(error, old):
    def fail():
        with atomic_file(old) as file:
            file.buffered.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert old.read_bytes() == b"old"
    assert names(old.parent) == ["report.json"]


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
def test_nothing_is_left_of_an_interruption_behind_any_step(step, old, monkeypatch):
    real = getattr(os, step)

    def interrupted(*arguments, **keywords):
        real(*arguments, **keywords)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            write(old)
    assert old.read_bytes() == (b"new" if step == "replace" else b"old")
    assert names(old.parent) == ["report.json"]


@pytest.mark.parametrize("step", ["open", "write", "fsync", "replace"])
def test_a_step_that_fails_has_its_error_and_leaves_nothing(step, old, monkeypatch):
    def fail(*_arguments, **_keywords):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, step, fail)
        with pytest.raises(StorageError, match=r"cannot write .*report\.json: Input/output error"):
            write(old)
    assert old.read_bytes() == b"old"
    assert names(old.parent) == ["report.json"]


def test_a_directory_that_is_missing_is_told(tmp_path):
    with pytest.raises(OutputError, match="No such file or directory; check the path"):
        write(tmp_path / "none" / "report.json")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_the_mode_of_a_replaced_file_is_kept(mode, old):
    old.chmod(mode)
    write(old)
    assert (mode_of(old), old.read_bytes()) == (mode, b"new")


def test_a_new_file_gets_the_mode_that_the_umask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path / "report.json")
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "report.json") == 0o640


def test_a_file_that_replaces_a_private_one_is_private_from_its_first_byte(old):
    old.chmod(0o600)
    with atomic_file(old) as file:
        assert mode_of(file.path) == 0o600


def test_a_private_file_is_private_whatever_stood_there(old):
    old.chmod(0o644)
    write(old, private=True)
    assert mode_of(old) == 0o600


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_the_owner_of_a_replaced_file_is_kept(old):
    os.chown(old, 4321, 1234)
    write(old)
    assert (old.stat().st_uid, old.stat().st_gid) == (4321, 1234)


def test_where_the_group_cannot_be_kept_the_new_one_gets_no_more_than_everybody(old, monkeypatch):
    def refuse(*_arguments):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    old.chmod(0o664)
    monkeypatch.setattr(os, "fchown", refuse)
    write(old)
    assert mode_of(old) == 0o644


def test_the_access_list_of_a_replaced_file_is_kept_or_the_group_shut_out(old, monkeypatch):
    given: dict[str, bytes] = {}
    monkeypatch.setattr(os, "getxattr", lambda _path, _name: b"list")
    monkeypatch.setattr(os, "setxattr", lambda _file, name, value: given.update({name: value}))
    old.chmod(0o660)
    write(old)
    assert given == {"system.posix_acl_access": b"list"}

    def refuse(*_arguments):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    old.chmod(0o660)
    monkeypatch.setattr(os, "setxattr", refuse)
    write(old)
    # The group's bits were the most that anybody on the list could have.
    assert mode_of(old) == 0o600


@pytest.mark.parametrize("name", ["n" * 255, "ü" * 127, "文" * 85, "n" * 240])
def test_a_name_may_be_as_long_as_the_system_allows(name, tmp_path):
    for data in (b"first", b"second"):
        write(tmp_path / name, data)
    assert (tmp_path / name).read_bytes() == b"second"
    assert names(tmp_path) == [name]


def test_long_names_that_begin_alike_have_hidden_names_of_their_own(tmp_path):
    pair = [hidden_beside(tmp_path / ("n" * 250 + end), ".textbatch") for end in "ab"]
    assert pair[0] != pair[1]
    assert all(len(path.name) == 255 for path in pair)


def test_a_link_planted_under_a_temporary_name_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / f".report.json.{OWNER}.tmp").symlink_to(victim)
    write(tmp_path / "report.json", owner=OWNER)
    assert victim.read_bytes() == b"precious"
    assert names(tmp_path) == ["report.json", "victim"]


def test_what_a_dead_run_of_the_same_owner_left_is_removed(tmp_path):
    (tmp_path / f".report.json.{OWNER}.tmp").write_bytes(b"half")
    write(tmp_path / "report.json", owner=OWNER)
    assert names(tmp_path) == ["report.json"]


@pytest.mark.parametrize(
    ("step", "number", "passes"),
    [
        ("open", errno.EACCES, True),
        ("fsync", errno.EINVAL, True),
        ("fsync", errno.EIO, False),
        ("open", errno.EIO, False),
    ],
)
def test_a_directory_is_synced_where_that_can_be(step, number, passes, tmp_path, monkeypatch):
    def fail(*_arguments):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, step, fail)
        if passes:
            sync_directory(tmp_path)
        else:
            with pytest.raises(OSError, match=os.strerror(number)):
                sync_directory(tmp_path)


def test_a_small_table_keeps_the_mode_of_the_one_that_it_replaces(tmp_path):
    import pyarrow as pa

    for name in ("rows.csv", "rows.parquet"):
        (tmp_path / name).touch(0o600)
        write_table(pa.table({"n": [1, 2]}), tmp_path / name, overwrite=True)
        assert mode_of(tmp_path / name) == 0o600
    assert names(tmp_path) == ["rows.csv", "rows.parquet"]


def write_directory(path: Path, **files: bytes) -> None:
    with atomic_directory(path) as new:
        for name, data in files.items():
            new.write(name, data)


def test_a_directory_appears_whole_in_the_place_of_the_one_before(tmp_path):
    write_directory(tmp_path / "model", a=b"1", b=b"2")
    write_directory(tmp_path / "model", b=b"3", c=b"4")
    assert names(tmp_path) == ["model"]
    assert names(tmp_path / "model") == ["b", "c"]
    assert (tmp_path / "model" / "b").read_bytes() == b"3"


def test_a_directory_and_its_files_keep_their_modes(tmp_path):
    write_directory(tmp_path / "model", a=b"1", b=b"2")
    (tmp_path / "model").chmod(0o750)
    (tmp_path / "model" / "a").chmod(0o600)
    write_directory(tmp_path / "model", a=b"3", b=b"4")
    assert mode_of(tmp_path / "model") == 0o750
    assert mode_of(tmp_path / "model" / "a") == 0o600
    assert mode_of(tmp_path / "model" / "b") == 0o666 & ~_umask()


def _umask() -> int:
    found = os.umask(0)
    os.umask(found)
    return found


def test_the_new_directory_is_synced_itself_before_it_is_moved(tmp_path, monkeypatch):
    synced: list[str] = []
    real = os.fsync

    def recorded(descriptor):
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", recorded)
    with atomic_directory(tmp_path / "model") as new:
        new.write("a", b"1")
    assert synced == ["a", new.path.name, tmp_path.name]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, TerminatedError])
def test_nothing_is_left_of_a_directory_whose_body_fails(error, tmp_path):
    write_directory(tmp_path / "model", a=b"1")

    def fail():
        with atomic_directory(tmp_path / "model") as new:
            new.write("a", b"2")
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == ["model"]
    assert (tmp_path / "model" / "a").read_bytes() == b"1"


def test_what_dead_writers_left_is_removed_and_what_living_ones_write_stays(tmp_path):
    path = tmp_path / "report.json"
    dead = temporary_of(path, "0123456789abcdef")
    dead.write_bytes(b"half")
    other = temporary_of(tmp_path / "report.json.json", "0123456789abcdef")
    other.write_bytes(b"of another file")
    with atomic_file(path) as first:
        with atomic_file(path) as second:
            second.buffered.write(b"second")
        assert first.path.exists()
        first.buffered.write(b"first")
    assert path.read_bytes() == b"first"
    assert sorted(tmp_path.iterdir()) == [other, path]
