"""A folder job, killed before each of its calls about files: the next run ends well."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_bundle, random_texts, write_bundle, write_texts
from support.killable_job import FULL

from textbatch import score
from textbatch.scoring.verify import verify_output

SCRIPT = Path(__file__).parents[2] / "support" / "killed_at_calls.py"
BESIDE = ["metrics.prom", "page.html", "report.json"]


def deaths(folder: Path, arguments: list[str], calls: list[int] | None) -> list[dict[str, Any]]:
    job = {"arguments": arguments, "folder": str(folder), "calls": calls}
    run = [sys.executable, str(SCRIPT)]
    done = subprocess.run(
        run, input=json.dumps(job), capture_output=True, text=True, check=True, timeout=1800
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "job" / "in" / "deep").mkdir(parents=True)
    write_texts(tmp_path / "job" / "in" / "a.parquet", random_texts(60, seed=1))
    write_texts(tmp_path / "job" / "in" / "deep" / "b.parquet", random_texts(40, seed=2))
    return tmp_path / "job"


@pytest.mark.parametrize("output", ["out", "out.parquet"])
def test_a_job_killed_before_any_of_its_calls_ends_well_when_it_is_run_again(output, folder, model):
    source = folder / ("in" if output == "out" else "in/a.parquet")
    arguments = ["score", str(source), str(folder / output), "--model", str(model)]
    arguments += ["--chunk-rows", "20", "--threads", "1", "--json"]
    for flag, name in zip(("--metrics-file", "--html", "--report"), BESIDE, strict=True):
        arguments += [flag, str(folder / name)]
    (whole,) = deaths(folder, arguments, None)
    assert whole["first"] == 0, whole["said"]
    expected = pq.read_table(folder / output) if output != "out" else parts(folder / output)
    count = len(whole["calls"])
    assert count > (100 if output == "out" else 50)
    # Most of them at the end, when all is done but not yet told.
    few = sorted({*range(1, count, 40), *range(count - 36, count, 8)})
    # Before the last one, which closes the lock, all is done, and nothing tells of the kill.
    chosen = range(1, count) if FULL else few
    for died in deaths(folder, arguments, list(chosen)):
        where = (died["call"], whole["calls"][died["call"] - 1], died["died"], died["said"])
        assert died["first"] == -9, where
        assert died["second"] == 0, where
        left = [name for name in died["names"] if Path(name).name.startswith(".")]
        assert left == [], where
        assert {*whole["names"]} <= {*died["names"]}, where
    found = pq.read_table(folder / output) if output != "out" else parts(folder / output)
    assert found == expected


def test_a_rescore_killed_before_any_of_its_calls_ends_well_with_the_new_models_answers(
    folder, model, tmp_path
):
    other = write_bundle(tmp_path / "other", random_bundle(seed=5))
    score(folder / "in", folder / "out", model=other, incremental=True)
    arguments = ["score", str(folder / "in"), str(folder / "out"), "--model", str(model)]
    arguments += [
        "--incremental",
        "--rescore",
        "stale",
        "--chunk-rows",
        "20",
        "--threads",
        "1",
        "--json",
    ]
    (whole,) = deaths(folder, arguments, None)
    assert whole["first"] == 0, whole["said"]
    expected = parts(folder / "out")
    count = len(whole["calls"])
    chosen = range(1, count + 1) if FULL else range(1, count + 1, 37)
    for died in deaths(folder, arguments, list(chosen)):
        where = (died["call"], whole["calls"][died["call"] - 1], died["died"], died["said"])
        assert died["first"] == -9, where
        assert died["second"] == 0, where
        assert not [name for name in died["names"] if Path(name).name.startswith(".")], where
        assert {*whole["names"]} == {*died["names"]}, where
    assert parts(folder / "out") == expected
    assert verify_output(folder / "out", model=model).parts == 2


def parts(folder: Path) -> dict[str, pa.Table]:
    return {
        str(path.relative_to(folder)): pq.read_table(path)
        for path in sorted(folder.rglob("*.parquet"))
    }
