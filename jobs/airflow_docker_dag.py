"""Airflow DAG: score the night's file in a container of the image's target `score`.

Needs apache-airflow-providers-docker, and nothing of textbatch. Change the two names below. The
task returns the run report as one line of JSON.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk import DAG, Asset
from docker.types import Mount

IMAGE = "textbatch:score"
FOLDER = "/srv/textbatch"

with DAG(
    "textbatch_docker",
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["textbatch"],
):
    DockerOperator(
        task_id="score",
        image=IMAGE,
        command=[
            "score",
            "--json",
            "--if-exists=replace",
            "--model=model",
            "incoming/{{ ds }}.parquet",
            "scored/{{ ds }}.parquet",
        ],
        mounts=[Mount(source=FOLDER, target="/data", type="bind")],
        user="10001:10001",
        network_mode="none",
        cpus=2,
        mem_limit="2g",
        mount_tmp_dir=False,
        auto_remove="force",
        retries=3,
        retry_delay=timedelta(minutes=10),
        execution_timeout=timedelta(hours=6),
        outlets=[Asset(f"file://{FOLDER}/scored")],
    )
