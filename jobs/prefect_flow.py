"""A Prefect flow (3 or later): score a file with the `textbatch` command.

Prefect's environment needs the exit codes (`pip install --no-deps textbatch`); the command may have
an environment of its own. Once: `python jobs/prefect_flow.py`. Every night: see the last line.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.states import State

from textbatch.errors import final_exit_codes

COMMAND = os.environ.get("TEXTBATCH_COMMAND", "/opt/textbatch/.venv/bin/textbatch")
INPUT = os.environ.get("TEXTBATCH_INPUT", "/srv/textbatch/incoming.parquet")
OUTPUT = os.environ.get("TEXTBATCH_OUTPUT", "/srv/textbatch/scored.parquet")


class ScoreFailedError(RuntimeError):
    """The command's last message, and the exit code that says whether trying again can help."""

    def __init__(self, code: int, told: str) -> None:
        super().__init__(f"exit code {code}: {told}")
        self.code = code


def may_succeed_later(_task: object, _run: object, state: State) -> bool:
    """Whether Prefect is to try again."""
    error = state.result(raise_on_failure=False)
    return not isinstance(error, ScoreFailedError) or error.code not in final_exit_codes()


@task(retries=3, retry_delay_seconds=600, retry_condition_fn=may_succeed_later)
def score(source: str, output: str) -> dict[str, Any]:
    """Score, and return the run report. The model is named by `TEXTBATCH_MODEL`."""
    # A task that is tried again finds its own output, and replaces it.
    words = [COMMAND, "score", "--json", "--if-exists", "replace", "--", source, output]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    for line in lines:
        get_run_logger().info("%s", line)
    if done.returncode:
        raise ScoreFailedError(done.returncode, lines[-1] if lines else "no message")
    return json.loads(done.stdout)


@flow(name="textbatch-nightly")
def nightly(source: str = INPUT, output: str = OUTPUT) -> dict[str, Any]:
    """Score the night's file."""
    return score(source, output)


if __name__ == "__main__":
    nightly()  # every night: nightly.serve(name="nightly", cron="15 2 * * *")
