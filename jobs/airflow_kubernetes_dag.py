"""Airflow DAG: score the night's file in a pod of the image's target `score`.

Needs apache-airflow-providers-cncf-kubernetes, and nothing of textbatch. Change the three names
below. The task returns the run report.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.sdk import DAG, Asset
from kubernetes.client import models as k8s

IMAGE = "registry.example.com/textbatch:score"
NAMESPACE = "default"
VOLUME_CLAIM = "textbatch-data"

with DAG(
    "textbatch_kubernetes",
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["textbatch"],
):
    KubernetesPodOperator(
        task_id="score",
        name="textbatch-score",
        namespace=NAMESPACE,
        image=IMAGE,
        arguments=[
            "score",
            "--if-exists=replace",
            "--model=model",
            "--report=/airflow/xcom/return.json",
            "incoming/{{ ds }}.parquet",
            "scored/{{ ds }}.parquet",
        ],
        do_xcom_push=True,
        volumes=[
            k8s.V1Volume(
                name="data",
                persistent_volume_claim=k8s.V1PersistentVolumeClaimVolumeSource(
                    claim_name=VOLUME_CLAIM
                ),
            ),
            k8s.V1Volume(name="tmp", empty_dir=k8s.V1EmptyDirVolumeSource()),
        ],
        volume_mounts=[
            k8s.V1VolumeMount(name="data", mount_path="/data"),
            k8s.V1VolumeMount(name="tmp", mount_path="/tmp"),
        ],
        container_resources=k8s.V1ResourceRequirements(
            requests={"cpu": "2", "memory": "1Gi"}, limits={"cpu": "2", "memory": "2Gi"}
        ),
        security_context=k8s.V1PodSecurityContext(
            run_as_non_root=True,
            run_as_user=10001,
            run_as_group=10001,
            fs_group=10001,
            seccomp_profile=k8s.V1SeccompProfile(type="RuntimeDefault"),
        ),
        container_security_context=k8s.V1SecurityContext(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=k8s.V1Capabilities(drop=["ALL"]),
        ),
        automount_service_account_token=False,
        termination_grace_period=30,
        on_finish_action="delete_succeeded_pod",
        retries=3,
        retry_delay=timedelta(minutes=10),
        execution_timeout=timedelta(hours=6),
        outlets=[Asset("file:///srv/textbatch/scored")],
    )
