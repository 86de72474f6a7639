"""A job of 20,000 rows in 40 chunks, and what it comes to undisturbed."""

from __future__ import annotations

import signal

import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts, write_texts
from support.killable_job import Job

# A process in the background of a script ignores SIGINT, and hands that on to all it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, model) -> Job:
    folder = tmp_path_factory.mktemp("job")
    source = write_texts(folder / "in.parquet", random_texts(20_000, seed=7, longest=12))
    (folder / "out").mkdir()
    job = Job(folder=folder / "out", source=source, model=model, flags=("--chunk-rows", "500"))
    done = job.run()
    assert done.returncode == 0, done.stderr
    job.expected = pq.read_table(job.output)
    assert job.expected.num_rows == 20_000
    return job


@pytest.fixture
def job(undisturbed, tmp_path) -> Job:
    (tmp_path / "out").mkdir()
    return Job(
        folder=tmp_path / "out",
        source=undisturbed.source,
        model=undisturbed.model,
        flags=undisturbed.flags,
        expected=undisturbed.expected,
    )
