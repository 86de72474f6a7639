"""CSV and JSON Lines outputs of runs that are killed: the same bits, and no partial file."""

from __future__ import annotations

import json
import random
import signal
import time
from dataclasses import replace

import pytest
from support.bundles import run_cli
from support.killable_job import Reader, rounds

from textbatch.data.output.any_output import files_of

OLD = b"the old output"
FORMATS = ("csv", "jsonl", "csv.gz", "jsonl.zst")
#: Where the order of the two files matters.
PLACES = ("output-sealed", "output-checked", "record-written", "output-published")


@pytest.fixture(scope="module")
def undisturbed_as(undisturbed, tmp_path_factory):
    """The job with an output of another format, and what it comes to."""
    made = {}

    def of(suffix: str):
        if suffix not in made:
            folder = tmp_path_factory.mktemp("text-job") / "out"
            folder.mkdir()
            job = replace(undisturbed, folder=folder, name=f"out.{suffix}", expected=None)
            done = job.run()
            assert done.returncode == 0, done.stderr
            made[suffix] = replace(job, expected=job.output.read_bytes())
        return made[suffix]

    return of


@pytest.fixture
def job_as(undisturbed_as, tmp_path):
    def of(suffix: str):
        (tmp_path / "out").mkdir()
        return replace(undisturbed_as(suffix), folder=tmp_path / "out")

    return of


@pytest.mark.parametrize("seed", rounds(1, 20))
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_run_killed_at_any_moment_loses_and_repeats_no_row(suffix, seed, job_as):
    draws = random.Random(seed)
    job = job_as(suffix)
    old = OLD if seed % 2 else None
    if old:
        job.output.write_bytes(old)
    with Reader(job, old) as reader:
        with job.start("--overwrite") as process:
            job.wait_for_temporary(process)
            time.sleep(draws.uniform(0.0, 0.6))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        done = job.run("--overwrite", "--json")
    assert done.returncode == 0, done.stderr
    job.assert_complete()
    assert not reader.wrong, reader.wrong


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("suffix", FORMATS[: len(rounds(1, len(FORMATS)))])
def test_a_run_killed_between_record_and_output_is_mended_by_the_next(suffix, name, job_as):
    job = job_as(suffix)
    job.output.write_bytes(OLD)
    with Reader(job, OLD) as reader:
        killed = job.run("--overwrite", TEXTBATCH_FAILPOINTS=f"{name}:1:0")
        assert killed.returncode == -signal.SIGKILL
        if name != "output-published":
            assert job.output.read_bytes() == OLD
            assert run_cli("verify", job.output).returncode == 65
        done = job.run("--overwrite", "--json")
    assert json.loads(done.stdout)["rows_resumed"] > 0
    job.assert_complete()
    assert not reader.wrong, reader.wrong


def test_a_run_that_died_after_publishing_was_done(job_as):
    job = job_as("csv")
    killed = job.run(TEXTBATCH_FAILPOINTS="output-published:1:0")
    assert killed.returncode == -signal.SIGKILL
    done = job.run("--json")
    assert json.loads(done.stdout)["state"] == "skipped"
    job.assert_complete()


def test_an_output_that_was_edited_is_not_taken_for_done(job_as):
    job = job_as("csv")
    assert job.run().returncode == 0
    with job.output.open("ab") as file:
        file.write(b"one,more,row\n")
    refused = job.run("--if-exists", "skip")
    assert refused.returncode == 73
    assert "has changed since it was made" in refused.stderr
    files_of(job.output)[0].unlink()
    assert job.run("--if-exists", "skip").returncode == 73
    assert job.run("--overwrite").returncode == 0
    job.assert_complete()
    assert json.loads(job.run("--if-exists", "skip", "--json").stdout)["state"] == "skipped"
