from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from support.bundles import write_texts
from support.killable_job import Job


@pytest.fixture
def disk(tmp_path) -> Path:
    """A file system of 2 MiB in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_run_on_a_full_disk_goes_on_when_there_is_space(disk, tmp_path, model):
    # Digests do not compress, so that they cannot fit; their predictions do.
    digests = [os.urandom(500).hex() for _ in range(5000)]
    source = write_texts(tmp_path / "in.parquet", digests)
    job = Job(folder=disk, source=source, model=model, flags=("--chunk-rows", "500"))
    job.output.write_bytes(b"precious")
    failed = job.run("--overwrite")
    assert failed.returncode == 74, failed.stderr
    assert "No space left on device" in failed.stderr
    assert job.output.read_bytes() == b"precious"
    assert job.names() == [".out.parquet.textbatch", "out.parquet"]
    again = job.run("--overwrite")
    assert again.returncode == 74, again.stderr
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
    done = job.run("--overwrite", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows_resumed"] == 4500
    assert job.names() == ["out.parquet"]
