"""The examples for Prefect and Dagster, run for real in an environment of their own."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts, write_texts

ROOT = Path(__file__).parents[3]
PYTHON = Path(os.environ.get("SCHEDULERS_VENV", ROOT / ".venv-schedulers")) / "bin" / "python"

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="no schedulers (make test-schedulers installs .venv-schedulers)"
)

# Ends the run as a scheduler sees it: what came out, or the failure, and how often it was tried.
_PREFECT = """
import json, sys
from prefect.testing.utilities import prefect_test_harness
import prefect_flow
prefect_flow.score.retry_delay_seconds = 0
with prefect_test_harness():
    state = prefect_flow.nightly(return_state=True)
    found = state.result(raise_on_failure=False)
print("told", json.dumps(found if isinstance(found, dict) else {"failure": str(found)}))
"""
_DAGSTER = """
import json, dagster, dagster_asset
asset = dagster_asset.scored
with dagster.DagsterInstance.ephemeral() as instance:
    done = dagster.materialize([asset], instance=instance, raise_on_error=False)
    if done.success:
        found = done.asset_materializations_for_node("scored")[0].metadata
        told = {name: value.value for name, value in found.items()}
    else:
        events = done.all_events
        failure = [event for event in events if event.is_step_failure][-1]
        told = {"failure": failure.step_failure_data.error_display_string}
print("told", json.dumps(told))
"""


@pytest.fixture
def command(tmp_path) -> Path:
    """`textbatch` of the environment that runs the tests, which notes each of its starts."""
    path = tmp_path / "textbatch"
    path.write_text(
        f'#!/bin/sh\necho >> {tmp_path}/starts\nexec {sys.executable} -m textbatch "$@"\n'
    )
    path.chmod(0o755)
    return path


def run(script: str, command: Path, model: Path) -> dict:
    folder = command.parent
    (folder / "jobs").mkdir()
    for name in ("prefect_flow.py", "dagster_asset.py"):
        text = (ROOT / "jobs" / name).read_text("utf-8")
        (folder / "jobs" / name).write_text(text.replace("delay=600", "delay=0"))
    environment = {
        **os.environ,
        "HOME": str(folder),
        "PREFECT_HOME": str(folder / "prefect"),
        "DAGSTER_HOME": "",
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "TEXTBATCH_COMMAND": str(command),
        "TEXTBATCH_MODEL": str(model),
        "TEXTBATCH_INPUT": str(folder / "in.parquet"),
        "TEXTBATCH_OUTPUT": str(folder / "out.parquet"),
    }
    done = subprocess.run(
        [PYTHON, "-c", script],
        cwd=folder / "jobs",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    (told,) = (line for line in done.stdout.splitlines() if line.startswith("told "))
    starts = (folder / "starts").read_text().count("\n")
    return {**json.loads(told.removeprefix("told ")), "starts": starts}


@pytest.mark.parametrize("script", [_PREFECT, _DAGSTER], ids=["prefect", "dagster"])
def test_a_good_run_returns_its_report(script, command, model, tmp_path):
    write_texts(tmp_path / "in.parquet", random_texts(200))
    found = run(script, command, model)
    assert (found["rows_out"], found["starts"]) == (200, 1), found
    assert pq.read_metadata(tmp_path / "out.parquet").num_rows == 200


@pytest.mark.parametrize("script", [_PREFECT, _DAGSTER], ids=["prefect", "dagster"])
def test_a_run_that_would_fail_again_is_not_tried_again(script, command, model, tmp_path):
    (tmp_path / "in.parquet").write_text("this is no Parquet file")
    found = run(script, command, model)
    assert "exit code 65" in found["failure"]
    assert found["starts"] == 1


@pytest.mark.parametrize("script", [_PREFECT, _DAGSTER], ids=["prefect", "dagster"])
def test_a_run_that_may_succeed_later_is_tried_again(script, command, model, tmp_path):
    write_texts(tmp_path / "in.parquet", random_texts(200))
    # Another run writes the output: this test.
    (tmp_path / ".out.parquet.textbatch").mkdir()
    with (tmp_path / ".out.parquet.textbatch" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = run(script, command, model)
    assert "exit code 75" in found["failure"]
    assert found["starts"] == 4
