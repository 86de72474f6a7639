from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import kubernetes_validate
import pyarrow.parquet as pq
import pytest
import yaml
from support.bundles import write_texts

from textbatch.errors import final_exit_codes

FOLDER = Path(__file__).parents[3] / "jobs" / "kubernetes"
MANIFESTS = sorted(FOLDER.glob("*.yaml"))


def job_of(path: Path) -> dict:
    manifest = yaml.safe_load(path.read_text("utf-8"))
    spec = manifest["spec"]
    return spec["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else spec


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_manifests_follow_the_schema_of_kubernetes(path):
    manifest = yaml.safe_load(path.read_text("utf-8"))
    version = kubernetes_validate.latest_version()
    kubernetes_validate.validate(manifest, version, strict=True)
    manifest["spec"]["podFailurePolice"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_pods_are_not_retried_after_final_exit_codes_alone(path):
    job = job_of(path)
    ignore, final = job["podFailurePolicy"]["rules"]
    assert ignore["onPodConditions"][0]["type"] == "DisruptionTarget"
    assert final["action"] == ("FailIndex" if "completionMode" in job else "FailJob")
    found = final["onExitCodes"]
    assert (found["operator"], found["values"]) == ("In", [*final_exit_codes()])
    pod = job["template"]["spec"]
    assert found["containerName"] == pod["containers"][0]["name"]
    assert pod["restartPolicy"] == "Never"  # what a podFailurePolicy demands


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_pods_run_without_root_on_a_read_only_file_system(path):
    pod = job_of(path)["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/data", "/tmp"}
    assert pod["terminationGracePeriodSeconds"] > 5


class Recorder:
    """Stands for Airflow and the models of Kubernetes: what is called becomes its arguments."""

    def __init__(self, *_: object, **values: object) -> None:
        self.values = values

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def in_json(**values: object) -> dict[str, object]:
    """A model as Kubernetes has it in JSON."""
    names = [[first, *map(str.title, others)] for first, *others in (n.split("_") for n in values)]
    return dict(zip(map("".join, names), values.values(), strict=True))


def test_the_pod_of_the_airflow_dag_is_locked_down_like_those_of_the_manifests(monkeypatch):
    pods: list[dict] = []
    kinds = ("V1PodSecurityContext", "V1SecurityContext", "V1SeccompProfile", "V1Capabilities")
    others = (
        *("V1Volume", "V1VolumeMount", "V1EmptyDirVolumeSource", "V1ResourceRequirements"),
        "V1PersistentVolumeClaimVolumeSource",
    )
    models = SimpleNamespace(**dict.fromkeys(kinds, in_json), **dict.fromkeys(others, Recorder))
    for name, module in {
        "airflow.sdk": SimpleNamespace(DAG=Recorder, Asset=Recorder),
        "airflow.providers.cncf.kubernetes.operators.pod": SimpleNamespace(
            KubernetesPodOperator=lambda **values: pods.append(values)
        ),
        "kubernetes.client": SimpleNamespace(models=models),
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    runpy.run_path(str(FOLDER.parent / "airflow_kubernetes_dag.py"))
    (pod,) = pods
    wanted = job_of(MANIFESTS[0])["template"]["spec"]
    (container,) = wanted["containers"]
    assert pod["security_context"] == wanted["securityContext"]
    assert pod["container_security_context"] == container["securityContext"]
    assert pod["automount_service_account_token"] == wanted["automountServiceAccountToken"]


def run_container(path: Path, folder: Path, model: Path, **variables: str):
    """What the container would run, with the image's entry point, in its working directory."""
    (container,) = job_of(path)["template"]["spec"]["containers"]
    command = [*container.get("command", ["textbatch"]), *container["args"]]
    if not (folder / "model").exists():
        (folder / "model").symlink_to(model)
    (folder / "bin").mkdir(exist_ok=True)
    entry = folder / "bin" / "textbatch"
    entry.write_text(f'#!/bin/sh\nexec {sys.executable} -m textbatch "$@"\n')
    entry.chmod(0o755)
    own = {one["name"]: one["value"] for one in container.get("env", ())}
    path_ = f"{entry.parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path_, **own, **variables}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_cron_job_scores_night_after_night(input_file, model, tmp_path):
    input_file.rename(tmp_path / "incoming.parquet")
    for _ in range(2):
        done = run_container(FOLDER / "cronjob.yaml", tmp_path, model)
        assert done.returncode == 0, done.stderr
    assert pq.read_metadata(tmp_path / "scored.parquet").num_rows == 500


def test_each_index_of_the_job_scores_its_share_and_one_more_job_completes_the_folder(
    model, tmp_path
):
    (tmp_path / "incoming").mkdir()
    for number in range(3):
        write_texts(tmp_path / "incoming" / f"{number}.csv.parquet", ["refund my invoice"] * 5)
    (tmp_path / "incoming" / "more.csv").write_text("id,text\n1,login\n")
    finish = FOLDER / "finish-job.yaml"
    for index in ("0", "1", "1"):
        early = run_container(finish, tmp_path, model)
        assert early.returncode in (68, 75) or index == "1", early.stderr
        variables = {"JOB_COMPLETION_INDEX": index, "TEXTBATCH_SHARDS": "2"}
        done = run_container(FOLDER / "indexed-job.yaml", tmp_path, model, **variables)
        assert done.returncode == 0, done.stderr
    done = run_container(finish, tmp_path, model)
    assert done.returncode == 0, done.stderr
    parts = sorted((tmp_path / "scored").glob("*.parquet"))
    assert sorted(pq.read_metadata(part).num_rows for part in parts) == [1, 15]
    assert (tmp_path / "scored" / "_SUCCESS").exists()


def test_the_job_has_as_many_pods_as_shares():
    job = job_of(FOLDER / "indexed-job.yaml")
    (container,) = job["template"]["spec"]["containers"]
    assert {one["name"]: one["value"] for one in container["env"]} == {
        "TEXTBATCH_SHARDS": str(job["completions"])
    }
