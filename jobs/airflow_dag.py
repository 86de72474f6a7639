"""Airflow DAG (3.2 or later): score the night's file with the `textbatch` command.

Put it into the DAG folder and change the four names below. Airflow's environment needs the operator
(`pip install --no-deps textbatch`), the workers also the command and the paths.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset

from textbatch.integrations.airflow import TextbatchScoreOperator

COMMAND = "/opt/textbatch/.venv/bin/textbatch"
INPUT = "/srv/textbatch/incoming/{{ ds }}.parquet"
OUTPUT = "/srv/textbatch/scored/{{ ds }}.parquet"
MODEL = "/srv/textbatch/model"

with DAG(
    "textbatch_nightly",
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["textbatch"],
):
    TextbatchScoreOperator(
        task_id="score",
        command=[COMMAND],
        input_path=INPUT,
        output_path=OUTPUT,
        model_path=MODEL,
        flags=["--max-bad-rows", "0.1%"],
        retries=3,
        retry_delay=timedelta(minutes=10),
        execution_timeout=timedelta(hours=6),
        # Names the place, not the night: an asset's URI is no template.
        outlets=[Asset("file:///srv/textbatch/scored")],
    )
