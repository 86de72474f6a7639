"""Airflow DAG (3.2 or later): score the night's file with the `textbatch` command.

Put it into the DAG folder and change the four names below. The workers need the command and the
paths; the scheduler, which only reads this file, needs neither.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, BaseOperator
from airflow.sdk.exceptions import AirflowFailException

COMMAND = "textbatch"
INPUT = "/srv/textbatch/incoming/{{ ds }}.parquet"
OUTPUT = "/srv/textbatch/scored/{{ ds }}.parquet"
MODEL = "/srv/textbatch/model"

#: I/O error or full disk; locked or throttled; SIGINT; SIGTERM. All others stay as they are.
RETRYABLE = frozenset({74, 75, 130, 143})


class ScoreOperator(BaseOperator):
    """Runs `textbatch score` and returns its run report.

    An operator rather than a `@task`: on SIGTERM Airflow only calls `on_kill`, which a `@task`
    does not have, and the command would go on computing after its task has ended.
    """

    template_fields = ("input_path", "output_path", "model_path")
    _child: subprocess.Popen[bytes] | None = None

    def __init__(
        self,
        *,
        input_path: str,
        output_path: str,
        model_path: str,
        **task: Any,  # noqa: ANN401 - whatever Airflow lets a task be told
    ) -> None:
        super().__init__(**task)
        self.input_path = input_path
        self.output_path = output_path
        self.model_path = model_path

    def execute(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """Run the command; its messages go to the task's log."""
        report = Path(self.output_path).with_suffix(".report.json")
        # --overwrite: Airflow runs a finished task again, when cleared or when it lost sight of it.
        command = [COMMAND, "score", self.input_path, self.output_path, "--overwrite"]
        command += ["--model", self.model_path, "--report", str(report)]
        self._child = child = subprocess.Popen(command)
        try:
            code = child.wait()
        finally:
            self.on_kill()
        if code == 0:
            return json.loads(report.read_text("utf-8"))
        # Popen's negative code: a signal ended the command before it could answer.
        code = 128 - code if code < 0 else code
        message = f"textbatch ended with exit code {code}; its error line is in this log"
        raise RuntimeError(message) if code in RETRYABLE else AirflowFailException(message)

    def on_kill(self) -> None:
        """Ask the command to stop, once: a second SIGTERM would end it before it cleans up."""
        child, self._child = self._child, None
        if child and child.poll() is None:
            child.terminate()


with DAG(
    "textbatch_nightly",
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["textbatch"],
):
    ScoreOperator(
        task_id="score",
        input_path=INPUT,
        output_path=OUTPUT,
        model_path=MODEL,
        retries=3,
        retry_delay=timedelta(minutes=10),
        execution_timeout=timedelta(hours=6),
        outlets=[Asset("file:///srv/textbatch/scored")],
    )
