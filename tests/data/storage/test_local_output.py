"""Devices and pipes as outputs: refused, or written through."""

from __future__ import annotations

import os
import socket
import stat
import threading
from pathlib import Path

import pytest
from support.bundles import run_cli

from textbatch.data.storage import write_through
from textbatch.data.storage.file_io import new_output
from textbatch.errors import OutputError, StorageError


@pytest.fixture
def pipe(tmp_path) -> Path:
    path = tmp_path / "pipe.parquet"
    os.mkfifo(path)
    return path


@pytest.fixture
def null(tmp_path) -> Path:
    """A device of this test's own."""
    path = tmp_path / "null.parquet"
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root may make devices")
    return path


class Reader:
    """Reads a pipe to its end."""

    def __init__(self, path: Path) -> None:
        self.data = b""
        self._thread = threading.Thread(target=self._read, args=(path,))
        self._thread.start()

    def _read(self, path: Path) -> None:
        self.data = path.read_bytes()

    def all(self) -> bytes:
        self._thread.join()
        return self.data


def is_device(path: Path) -> bool:
    return stat.S_ISCHR(path.stat().st_mode)


def test_no_output_is_a_pipe_a_device_or_a_socket(pipe, null, tmp_path, model, input_file):
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(tmp_path / "socket"))
        for path in (pipe, null, tmp_path / "socket", Path("/dev/null"), Path("/dev/stdout")):
            with pytest.raises(OutputError, match=r"device or a pipe|no regular file"):
                new_output(path).check()
    finally:
        listener.close()
    for path in (pipe, null):
        for flags in ((), ("--overwrite",), ("--if-exists", "skip"), ("--dry-run",)):
            done = run_cli("score", input_file, path, "--model", model, *flags)
            assert done.returncode == 73, done.stderr
            assert "is a device or a pipe; name a file" in done.stderr
    assert is_device(null)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "input.parquet", "null.parquet", "pipe.parquet", "socket",
    ]  # fmt: skip


def test_a_report_goes_through_a_pipe_and_leaves_it_a_pipe(pipe):
    reader = Reader(pipe)
    place = new_output(pipe)
    place.check(stream=True)
    place.write(b"report" * 100_000)
    assert reader.all() == b"report" * 100_000
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_finished_file_is_copied_to_a_device_and_removed(null, tmp_path):
    finished = tmp_path / "finished"
    finished.write_bytes(b"rows")
    new_output(null).publish(finished)
    assert is_device(null)
    assert not finished.exists()


def test_report_and_quarantine_may_be_devices(null, model, tmp_path):
    source = tmp_path / "in.csv"
    source.write_bytes(b"text\nrefund\n\xff\xfe\n")
    flags = ("--quarantine", null, "--max-bad-rows", "1", "--report", "/dev/stdout")
    done = run_cli("score", source, tmp_path / "out.parquet", "--model", model, *flags)
    assert done.returncode == 0, done.stderr
    assert '"rows_quarantined": 1' in done.stdout
    assert is_device(null)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "in.csv",
        "null.parquet",
        "out.parquet",
    ]


def test_a_pipe_that_nobody_reads_holds_no_job_for_ever(pipe, monkeypatch):
    monkeypatch.setattr(write_through, "PATIENCE_SECONDS", 0.2)
    with pytest.raises(StorageError, match="nobody reads this pipe; start its reader first"):
        new_output(pipe).write(b"report")


def test_a_reader_may_come_late(pipe):
    written = threading.Thread(target=new_output(pipe).write, args=(b"report" * 100_000,))
    written.start()
    reader = Reader(pipe)
    written.join()
    assert reader.all() == b"report" * 100_000
