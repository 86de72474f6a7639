from __future__ import annotations

import json
import random
import signal
import time

import pyarrow.parquet as pq
import pytest
from support.bundles import random_bundle, random_texts, run_cli, write_bundle, write_texts
from support.killable_job import FULL, Reader, rounds

from textbatch import score
from textbatch.failpoints import NAMES

OLD = b"the old output"


def lost_time(draws: random.Random, job, process) -> None:
    """Wait for a random moment: now and then of the whole run, mostly after it began to write."""
    if draws.random() < 0.25:
        time.sleep(draws.uniform(0.0, 1.2))
        return
    job.wait_for_temporary(process)
    time.sleep(draws.uniform(0.0, 0.6))


def finish(job, reader: Reader) -> dict[str, object]:
    done = job.run("--overwrite", "--json")
    assert done.returncode == 0, done.stderr
    job.assert_complete()
    assert not reader.wrong, reader.wrong
    return json.loads(done.stdout)


@pytest.mark.parametrize("seed", rounds(8, 200))
def test_a_run_killed_at_any_moment_loses_and_repeats_no_row(seed, job):
    draws = random.Random(seed)
    old = OLD if seed % 2 else None
    if old:
        job.output.write_bytes(old)
    with Reader(job, old) as reader:
        with job.start("--overwrite") as process:
            lost_time(draws, job, process)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        finish(job, reader)
    assert reader.looks > 10


# The journal's sync waits for seconds of work, which this job has not; tests/data has one.
PLACES = [name for name in NAMES if name not in ("journal-synced", "quarantine-published")]


@pytest.mark.parametrize("seed", rounds(1, 3))
@pytest.mark.parametrize("name", PLACES)
def test_a_run_killed_at_any_step_loses_and_repeats_no_row(name, seed, job):
    # Steps that are passed often die at one pass or another, by the seed.
    probability = 0.1 if name.startswith("journal-") and name != "journal-removed" else 1
    if name == "journal-created":
        probability = 1
    job.output.write_bytes(OLD)
    with Reader(job, OLD) as reader:
        killed = job.run("--overwrite", TEXTBATCH_FAILPOINTS=f"{name}:{probability}:{seed}")
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        journal = job.folder / ".out.parquet.textbatch" / "journal"
        noted = journal.read_bytes().count(b"TBJ1") if journal.exists() else 0
        done = finish(job, reader)
    # A record that is only half there does not count; each of the others is 500 rows saved.
    assert done["rows_resumed"] == 500 * (noted - (name == "journal-half-written"))
    if probability < 1:
        assert done["rows_resumed"] == 20_000 - 500 or noted > 0


@pytest.mark.parametrize("seed", rounds(1, 20))
def test_a_run_killed_again_and_again_ends_at_last(seed, job):
    deaths = ",".join(f"{name}:0.04:{seed}{i}" for i, name in enumerate(PLACES))
    codes = []
    with Reader(job, None) as reader:
        while not codes or codes[-1] == -signal.SIGKILL:
            # Other seeds each time, or it would die at the same place for ever.
            again = deaths.replace(":0.04:", f":0.04:{len(codes)}")
            codes.append(job.run(TEXTBATCH_FAILPOINTS=again).returncode)
            assert len(codes) < 60
    assert codes[-1] == 0
    assert not reader.wrong, reader.wrong
    job.assert_complete()


@pytest.mark.parametrize("seed", rounds(2, 100))
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_at_any_moment_ends_the_run_in_time_and_it_goes_on(number, code, seed, job):
    draws = random.Random(seed)
    job.output.write_bytes(OLD)
    with Reader(job, OLD) as reader:
        with job.start("--overwrite", "--chunk-rows", "50") as process:
            lost_time(draws, job, process)
            process.send_signal(number)
            sent = time.monotonic()
            _, told = process.communicate(timeout=60)
            waited = time.monotonic() - sent
        # Before textbatch's first lines, or after all is done, there is nobody to catch it.
        early = process.returncode == -number and "textbatch/cli" not in told
        assert early or process.returncode in (code, 0), told
        # A busy machine is no bug; the full run measures. Code 0 is for one that was done already.
        assert not FULL or waited < (5 if process.returncode else 1)
        assert early or "Traceback" not in told
        if process.returncode:
            assert set(job.names()) <= {"out.parquet", ".out.parquet.textbatch"}
        finish(job, reader)


@pytest.mark.parametrize(
    "name", ["output-published", "directory-synced", "journal-removed", "lock-removed"]
)
def test_a_run_that_died_after_publishing_was_done_without_overwrite_too(name, job):
    killed = job.run(TEXTBATCH_FAILPOINTS=f"{name}:1:0")
    assert killed.returncode == -signal.SIGKILL
    published = job.output.read_bytes()
    done = job.run("--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "skipped"
    assert job.output.read_bytes() == published
    job.assert_complete()
    assert job.run().returncode == 73


def test_a_run_that_died_does_not_excuse_another_job(job):
    killed = job.run("--top-k", "1", TEXTBATCH_FAILPOINTS="output-published:1:0")
    assert killed.returncode == -signal.SIGKILL
    other = job.run()
    assert other.returncode == 73
    assert "it was made with another --top-k; add" in other.stderr


@pytest.mark.parametrize(("action", "code"), [("int", 130), ("term", 143)])
def test_a_file_made_but_not_yet_minded_is_removed_on_the_way_out(action, code, job):
    stopped = job.run(TEXTBATCH_FAILPOINTS=f"output-created:1:0:{action}")
    assert stopped.returncode == code, stopped.stderr
    assert job.names() == []


def test_a_memory_error_keeps_what_was_computed(job):
    failed = job.run(TEXTBATCH_FAILPOINTS="journal-written:0.1:1:memory")
    assert failed.returncode == 71, failed.stderr
    assert job.names() == [".out.parquet.textbatch"]
    done = json.loads(job.run("--json").stdout)
    assert done["rows_resumed"] > 0
    job.assert_complete()


def test_a_failpoint_that_is_malformed_or_unknown_is_told(job):
    for value in ("lock-taken", "nowhere:1:1", "lock-taken:x:1", "lock-taken:1:1:dance"):
        told = job.run(TEXTBATCH_FAILPOINTS=value)
        assert told.returncode == 2, told.stderr
        assert "TEXTBATCH_FAILPOINTS has a malformed entry" in told.stderr
        assert job.names() == []


def test_a_run_with_several_models_goes_on_with_the_answers_of_all(model, tmp_path):
    source = write_texts(tmp_path / "in.parquet", random_texts(300, seed=7))
    tone = random_bundle(words=("refund", "card"), labels=("good", "bad"), seed=4)
    models = {"topic": model, "tone": write_bundle(tmp_path / "tone", tone)}
    output, options = tmp_path / "out.parquet", {"model": models, "chunk_rows": 30}
    named = [word for name, place in models.items() for word in ("--model", f"{name}={place}")]
    killed = run_cli(
        *("score", source, output, *named, "--chunk-rows", "30"),
        TEXTBATCH_FAILPOINTS="journal-half-written:0.5:6",
    )
    assert killed.returncode == -signal.SIGKILL
    assert not output.exists()
    assert score(source, output, **options).rows_resumed >= 30
    score(source, tmp_path / "whole.parquet", **options)
    assert pq.read_table(output).equals(pq.read_table(tmp_path / "whole.parquet"))
