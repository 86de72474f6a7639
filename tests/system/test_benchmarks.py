from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from support.bundles import random_texts
from support.killable_job import FULL

from textbatch.text.normalization import split_tokens

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def repository_root(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)


def benchmark(name: str, *arguments: str | Path) -> list[list[str]]:
    """The cells of the table that a benchmark prints, headings included."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert {len(row) for row in rows} == {len(rows[0])}
    return [rows[0], *rows[2:]]


def test_speed_times_engines_that_agree(model, tmp_path):
    found = tmp_path / "found.json"
    engines = ("bare", "ceiling", "onnx-padded")
    headings, *rows = benchmark(
        "speed",
        *("--rows", "300", "--rounds", "3", "--datasets", "synthetic"),
        *("--engines", *engines, "--model", model, "--json", found),
    )
    assert (headings[0], headings[-1], len(rows)) == ("data", "answers", 4)
    told = [row[-1][:11] for row in rows]
    assert told == ["the referen", "same labels", "textbatch's", "same labels"]
    recorded = json.loads(found.read_text("utf-8"))["rows"]
    assert [row["engine"] for row in recorded] == ["score", *engines]
    for row in recorded:
        assert len(row["seconds"]) == len(row["cpu_seconds"]) == 3
        assert row["rows_per_second"] == pytest.approx(300 / np.median(row["seconds"]), rel=0.01)
        assert row["peak_mib"] > 50


def test_shards_tells_what_a_plan_and_what_a_small_shard_takes(model):
    few = ("--rows", "1000000", "--files", "3", "--shards", "3", "--dataset", "synthetic")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.shards", *few, "--model", str(model)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "| plan of 1,000,000 rows, 50 shards |" in done.stdout
    assert "| footers of 3 real files, 1 shards |" in done.stdout
    assert "\n| 3 | " in done.stdout


def test_jobs_compares_processes_with_threads(model):
    arguments = ("--rows", "90", "--rounds", "1", "--jobs", "2", "--files", "2", "--model", model)
    _, *rows = benchmark("jobs", "--dataset", "synthetic", *arguments)
    assert [row[0][:9] for row in rows] == ["1 process", "1 process", "--jobs 2,"]
    assert rows[0][3] == rows[1][4] == "1.00"
    assert all(float(row[2]) > 0 for row in rows)


def test_scaling_and_start_up_print_a_line_per_size_and_command(model):
    _, *rows = benchmark("scaling", "--rows", "100", "--factors", "1", "3", "--model", model)
    assert [row[0] for row in rows] == ["100", "300"]
    assert all(float(row[3]) > 50 for row in rows)
    _, *rows = benchmark("startup", "--runs", "1", "--model", model)
    assert [row[0][:7] for row in rows] == ["`--help", "`score`"]
    assert float(rows[0][1]) < float(rows[1][1])


def test_engines_with_other_answers_are_not_timed():
    from benchmarks.engine import Answers
    from benchmarks.measure import judge

    right = Answers.of(np.array([[0.7, 0.3], [np.nan, np.nan], [0.4, 0.6]], np.float32))
    near = Answers.of(np.array([[0.7001, 0.2999], [0.1, 0.9], [0.4, 0.6]], np.float32))
    other = Answers.of(np.array([[0.3, 0.7], [0.5, 0.5], [0.4, 0.6]], np.float32))
    assert judge(near, right, 2e-4)[0]
    assert judge(near, right, 1e-5) == (False, "wrong answers: 0 other labels, max Δp 0.0001")
    assert judge(other, right, 1.0) == (False, "wrong answers: 1 other labels, max Δp 0")


def test_keras_peer_splits_texts_as_textbatch_does():
    from benchmarks.engines_keras import words_of

    texts = [text or "" for text in random_texts(200)]
    texts += ["Don't STOP…now", "a文本b・c", "x\u3000y\tz", "ﬁne ½", "e-mail@host", "ΟΔΟΣ"]
    tokens, offsets = split_tokens(pa.array(texts, pa.large_string()))
    ours = [tokens.slice(a, b - a).to_pylist() for a, b in itertools.pairwise(offsets)]
    assert [words_of(text) for text in texts] == ours


def test_repeated_rows_are_distinct_and_keep_their_words():
    from benchmarks.data import repeated

    texts = ["one two three", "four five six seven"]
    rows = repeated(texts, 6)
    assert len(set(rows)) == 6
    assert [sorted(row.split()) for row in rows] == [sorted(text.split()) for text in texts * 3]


def test_made_up_rows_are_distinct_and_as_long_as_news():
    from benchmarks.data import MADE_UP_WORDS, synthetic

    texts = next(synthetic(1_000, MADE_UP_WORDS))["text"].to_pylist()
    assert len(set(texts)) == 1_000
    lengths = [len(text.split()) for text in texts]
    assert 36 < np.mean(lengths) < 40
    assert min(lengths) < 20 < 70 < max(lengths)


def test_operations_per_token_and_row_are_those_of_the_seed_network():
    from benchmarks.engines_ceiling import per_row, per_token
    from benchmarks.models import architecture

    sizes = architecture(vocabulary_size=27_463)
    assert per_token(sizes) == 785_000
    assert per_row(sizes) == 2 * (200 * 100 + 100 * 4)


def test_answers_of_an_imported_model_are_compared_where_there_are_any():
    from benchmarks.imported import compared

    table = pa.table({"probabilities": [[0.75, 0.25], None, [0.25, 0.75]]})
    theirs = np.array([[0.75, 0.25], [0.9, 0.1], [0.5, 0.5]])
    assert compared(theirs, table) == "1 other labels, up to 2e-01 apart"


def simulated(*, seed: int = 0, driver: float = 0.002, **changes):
    from benchmarks.cluster import Costs, Job, Store, lower_bound, simulate

    costs = Costs(
        row=1e-4, start=1.0, worker_start=0.5, plan=0.5, shard=0.01, driver=driver, finish=2.0,
        shard_requests={"GET": 5}, publish_requests={"PUT": 1}, start_requests={"GET": 100},
    )  # fmt: skip
    store = Store(limits={"GET": 5500, "PUT": 3500}, latency=0.05)
    settings = {"rows": 2_000_050, "shard_rows": 10_000, "machines": 5, "cores": 2, **changes}
    job = Job(seed=seed, **settings)
    return simulate(job, costs, store), lower_bound(job, costs)


@pytest.mark.parametrize("shared", [False, True])
def test_a_simulated_job_loses_no_shard_and_none_of_its_work(shared):
    for failures, slow in ((0, 0), (0, 0.4), (40, 0), (200, 0.2)):
        result, least = simulated(shared=shared, failures=failures, slow_share=slow, repair=10.0)
        assert result.done == [1] * 201
        assert result.busy >= 2_000_050 * 1e-4 + 201 * 0.01
        assert result.seconds > least
        assert (result.lost > 0) == (failures > 0)
        assert max(result.driver, *result.store.values()) <= 1
        again, _ = simulated(shared=shared, failures=failures, slow_share=slow, repair=10.0)
        assert again == result


@pytest.mark.parametrize("shared", [False, True])
def test_more_failures_never_make_a_simulated_job_faster(shared):
    def mean(failures):
        runs = [simulated(seed=n, shared=shared, failures=failures)[0] for n in range(8)]
        return np.mean([run.seconds for run in runs])

    times = [mean(failures) for failures in (0, 30, 120)]
    assert times == sorted(times)


@pytest.mark.parametrize(
    "driver", [0.002, 0.5]
)  # also where the driver is what everything waits for
def test_slow_machines_never_make_a_simulated_job_faster(driver):
    times = [simulated(slow_share=slow, driver=driver)[0].seconds for slow in (0, 0.2, 0.4)]
    assert times == sorted(times)
    # Apart from its beginning and its end the slower of the two is busy all the time.
    assert times[0] < 1.5 + 1.1 * max(201 * (driver + 0.05), 201 * (1.01 + 0.25) / 10) + 5


def test_one_queue_suffers_less_from_slow_machines_than_fixed_shares():
    (queue, _), (shares, _) = (simulated(shared=each, slow_share=0.2) for each in (False, True))
    assert queue.seconds < 0.7 * shares.seconds


def test_a_store_answers_no_more_than_its_limits():
    # A hundred times as many machines.
    result, _ = simulated(rows=20_000_000, shard_rows=1_000, machines=500, shared=True)
    assert 0.1 < result.store["PUT"] < result.store["GET"] <= 1
    assert result.seconds > 20_000 * 5 / 5500


def test_the_page_shows_what_the_simulation_says(repository_root):
    """With FAULTS=full also the tables that take seconds."""
    from benchmarks import billion
    from benchmarks.page import with_tables

    terms = json.loads(billion.TERMS.read_text("utf-8"))
    tables = [billion.rates, billion.costs_of_terms, billion.limits]
    tables += [billion.troubles, billion.sizes] if FULL else []
    names = {billion.costs_of_terms: "terms"}
    made = {names.get(each, each.__name__): each(terms) for each in tables}
    page = (ROOT / "docs" / "scaling.md").read_text("utf-8")
    assert with_tables(page, made) == page


def test_requests_are_told_apart_and_counted_for_each_shard_file_and_process():
    from benchmarks.requests import _kinds, _slopes

    calls = ["GET /bucket", "GET /bucket/", "GET /bucket/a/b", "HEAD /bucket/a", "PUT /bucket/a"]
    assert _kinds(calls) == {"LIST": 2, "GET": 1, "HEAD": 1, "PUT": 1}
    # Three for each shard, two for each file, one for each process.
    few, more, files = ({"GET": 3 * s * f + 2 * f + 1} for f, s in ((2, 4), (2, 8), (4, 4)))
    counters = [Counter(one) for one in (few, more, files)]
    assert _slopes(*counters) == {"shard": {"GET": 3}, "file": {"GET": 2}, "process": {"GET": 1}}


@pytest.mark.skipif(not FULL, reason="takes half a minute; FAULTS=full runs it")
def test_requests_of_real_jobs_are_counted(model, tmp_path):
    from benchmarks import requests

    found = requests.counted(model, tmp_path)
    for way in ("share", "jobs"):
        assert found[way]["shard"]["PUT"] == 1
        assert 1 <= found[way]["shard"]["HEAD"] <= 6
    assert "PUT" not in found["finish"]["shard"]


def test_texts_to_measure_with_are_as_long_as_they_should_be():
    from benchmarks.terms import texts

    for words in (5, 40):
        made = texts(words, 2_000)
        assert len(set(made)) > 1_990
        assert np.mean([len(text.split()) for text in made]) == pytest.approx(words, rel=0.05)
