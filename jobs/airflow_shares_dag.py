"""Airflow DAG (3.2 or later): score a large folder, shared out to mapped tasks, every night.

Put it into the DAG folder and change the names below. Airflow's environment needs the operators
(`pip install --no-deps textbatch`), the workers also the command. All workers
see the same paths.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset

from textbatch.integrations.airflow import TextbatchFinishOperator, TextbatchScoreOperator

COMMAND = "/opt/textbatch/.venv/bin/textbatch"
INPUT = "/srv/textbatch/incoming/{{ ds }}"
OUTPUT = "/srv/textbatch/scored/{{ ds }}"
MODEL = "/srv/textbatch/model"
# So many tasks. How many of them run at the same time is up to the workers, or to a pool.
SHARES = 4
FLAGS = ["--shard-rows", "100000"]
POOL = "default_pool"

with DAG(
    "textbatch_shares",
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(hours=6),
    },
    tags=["textbatch"],
):
    score = TextbatchScoreOperator.partial(
        task_id="score",
        command=[COMMAND],
        input_path=INPUT,
        output_path=OUTPUT,
        model_path=MODEL,
        pool=POOL,
    ).expand(
        flags=[[*FLAGS, "--shard", f"{share}/{SHARES}"] for share in range(SHARES)],
    )
    finish = TextbatchFinishOperator(
        task_id="finish",
        command=[COMMAND],
        output_path=OUTPUT,
        # Names the place, not the night: an asset's URI is no template.
        outlets=[Asset("file:///srv/textbatch/scored")],
    )
    score >> finish
