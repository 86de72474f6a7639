"""Airflow DAG (3.2 or later): score what is new in a folder of an object store, every night.

Put it into the DAG folder and change the names below. Airflow's environment needs the operator
(`pip install --no-deps textbatch`), the workers also the command and credentials for the bucket.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset

from textbatch.integrations.airflow import TextbatchScoreOperator

COMMAND = "/opt/textbatch/.venv/bin/textbatch"
INPUT = "s3://bucket/incoming/"
OUTPUT = "s3://bucket/scored/"
MODEL = "s3://bucket/model/"
# The task computes on its worker. A pool of its own keeps it from taking every slot there; make it
# once: `airflow pools set textbatch 1 scoring`. A task whose pool does not exist never starts.
POOL = "textbatch"

with DAG(
    "textbatch_folder",
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    # Two runs on one folder would wait for each other.
    max_active_runs=1,
    tags=["textbatch"],
):
    TextbatchScoreOperator(
        task_id="score",
        command=[COMMAND],
        input_path=INPUT,
        output_path=OUTPUT,
        model_path=MODEL,
        flags=["--incremental", "--bad-files", "skip", "--max-bad-files", "5%"],
        pool=POOL,
        retries=3,
        retry_delay=timedelta(minutes=10),
        execution_timeout=timedelta(hours=6),
        outlets=[Asset(OUTPUT)],
    )
