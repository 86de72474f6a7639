"""The DAGs in the real Airflow; `make test-airflow` installs it into an environment of its own."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import kubernetes_validate
import pyarrow.parquet as pq
import pytest
from support.bundles import random_bundle, random_texts, write_bundle, write_texts

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
PYTHON = Path(os.environ.get("AIRFLOW_VENV", ROOT / ".venv-airflow")) / "bin" / "python"

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="no Airflow (make test-airflow installs it into .venv-airflow)"
)


@pytest.fixture(scope="session")
def database(tmp_path_factory) -> Path:
    """An empty Airflow home, to be copied."""
    home = tmp_path_factory.mktemp("airflow")
    command = [PYTHON, "-m", "airflow", "db", "migrate"]
    subprocess.run(command, env=environment(home), check=True, timeout=300)
    return home


def environment(home: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "KUBECONFIG": str(home / "kubeconfig"),
    }


class Night:
    """The nightly DAG as it stands in jobs/, moved to a folder of its own."""

    def __init__(self, folder: Path, database: Path) -> None:
        self.folder = folder
        self.home = shutil.copytree(database, folder / "airflow")
        self.dag = self.home / "dags" / "airflow_dag.py"
        self.input = folder / "incoming" / "2026-11-24.parquet"
        self.output = folder / "scored" / "2026-11-24.parquet"
        for path in (self.dag, self.input, self.output):
            path.parent.mkdir()
        text = (ROOT / "jobs" / "airflow_dag.py").read_text("utf-8")
        text = text.replace("/srv/textbatch", str(folder)).replace("minutes=10", "seconds=1")
        # Small chunks, so that an interrupted run has noted some.
        text = text.replace('"0.1%"', '"0.1%", "--chunk-rows", "500", "--threads", "1"')
        command = json.dumps([sys.executable, "-m", "textbatch"])
        self.dag.write_text(text.replace("[COMMAND]", command))

    def start(self, name: str = "textbatch_nightly") -> subprocess.Popen[str]:
        return subprocess.Popen(
            [PYTHON, HERE / "dag_run.py", self.dag, name, self.folder / "result"],
            env=environment(self.home),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def end(self, process: subprocess.Popen[str]) -> dict:
        log = process.communicate(timeout=120)[0]
        assert process.returncode == 0, log
        return {"log": log, **json.loads((self.folder / "result").read_text("utf-8"))}

    def children(self) -> list[str]:
        """Command lines of all live processes that score this night."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = entry.read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if str(self.output) in words:
                found.append(" ".join(words))
        return found

    def wait_until_rows_are_noted(
        self, process: subprocess.Popen[str], *, size: int = 10_000
    ) -> None:
        scored = self.output.parent
        wait_until(
            lambda: sum(path.stat().st_size for path in scored.rglob("journal*")) > size,
            still=lambda: process.poll() is None,
        )


def wait_until(
    true: Callable[[], bool],
    *,
    still: Callable[[], bool] = lambda: True,
    seconds: float = 60,
    every: float = 0.01,
) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert still()
        assert time.monotonic() < end
        time.sleep(every)


@pytest.fixture
def night(tmp_path, database) -> Night:
    return Night(tmp_path, database)


@pytest.fixture(scope="session")
def slow_model(tmp_path_factory) -> Path:
    """A model of the default preset's size, so that a run lasts long enough to be killed."""
    bundle = random_bundle(layers=(("gru", 150), ("lstm", 200)), max_sequence_length=50)
    return write_bundle(tmp_path_factory.mktemp("slow") / "model", bundle)


@pytest.fixture
def long_night(night, slow_model) -> Night:
    shutil.copytree(slow_model, night.folder / "model")
    write_texts(night.input, random_texts(20_000, longest=40))
    return night


@pytest.fixture
def short_night(night, model, input_file) -> Night:
    shutil.copytree(model, night.folder / "model")
    shutil.copy(input_file, night.input)
    return night


def test_dag_scores_returns_the_report_and_tells_the_asset(short_night):
    night = short_night
    done = night.end(night.start())
    (report,) = done["reports"]
    assert (done["state"], done["tries"]) == ("success", 1)
    assert (report["state"], report["rows_out"]) == ("done", 500)
    assert report["output"] == str(night.output)
    (event,) = done["events"]
    assert event["uri"] == f"file://{night.folder}/scored"
    assert event["extra"] == {name: report[name] for name in event["extra"]}
    assert event["extra"]["rows_out"] == pq.read_metadata(night.output).num_rows == 500


def test_folder_of_a_store_is_scored_night_by_night(night, model, store):
    """What is new is scored, a bad file is set aside, and the XCom value stays small."""
    text = (ROOT / "jobs" / "airflow_s3_dag.py").read_text("utf-8")
    text = text.replace("minutes=10", "seconds=1").replace('"5%"', '"97%"')
    pool = [PYTHON, "-m", "airflow", "pools", "set", "textbatch", "1", "scoring"]
    subprocess.run(pool, env=environment(night.home), check=True, timeout=300)
    text = text.replace("[COMMAND]", json.dumps([sys.executable, "-m", "textbatch"]))
    night.dag.write_text(text)
    store.put_folder(model, "model")
    source = write_texts(night.folder / "a.parquet", random_texts(20))
    store.put("incoming/a.parquet", source.read_bytes())
    for number in range(25):
        store.put(f"incoming/bad-{number}.csv", b"body\nx\n")
    reports = []
    for name in ("", "incoming/b.parquet", ""):
        if name:
            store.put(name, source.read_bytes())
        done = night.end(night.start("textbatch_folder"))
        assert (done["state"], done["pool"]) == ("success", "textbatch"), done["log"]
        reports.append(done["reports"][-1])
    assert [report["rows_out"] for report in reports] == [20, 20, 0]
    assert store.table("scored/b.parquet").num_rows == 20
    assert (len(reports[-1]["bad_files"]), reports[-1]["bad_files_more"]) == (20, 5)
    assert len(json.dumps(reports[-1])) < 32_000
    assert done["events"][-1]["uri"].rstrip("/") == "s3://bucket/scored"


def test_tasks_of_a_pool_with_one_slot_wait_for_each_other(night, model):
    """In Airflow's own scheduler: it alone counts slots, which a run of one DAG does not."""
    text = (ROOT / "jobs" / "airflow_s3_dag.py").read_text("utf-8")
    text = text.replace("[COMMAND]", json.dumps([sys.executable, "-m", "textbatch"]))
    text = text.replace('"15 2 * * *"', '"@once"').replace("s3://bucket", str(night.folder))
    text = text.replace("minutes=10", "seconds=1")
    shutil.copytree(model, night.folder / "model")
    write_texts(night.folder / "incoming" / "a.parquet", random_texts(5_000))
    night.dag.unlink()
    for name in ("first", "second"):
        own = text.replace("textbatch_folder", name).replace("/scored/", f"/scored-{name}/")
        (night.dag.parent / f"{name}.py").write_text(own)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = environment(night.home) | {
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API_AUTH__JWT_SECRET": "0123456789abcdef" * 4,
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "true",
    }
    # The line of the example.
    (made,) = re.findall(r"`airflow (pools set .*)`", text)
    pool = [PYTHON, "-m", "airflow", *made.split()]
    subprocess.run(pool, env=variables, check=True, timeout=300)
    seen: set[frozenset[tuple[str, str | None]]] = set()
    database = sqlite3.connect(f"file:{night.home}/airflow.db?mode=ro", uri=True)

    def ended() -> bool:
        with suppress(sqlite3.OperationalError):  # it is locked just now
            found = database.execute("select dag_id, state, pool from task_instance").fetchall()
            assert {pool for _, _, pool in found} <= {"textbatch"}
            seen.add(frozenset((dag, state) for dag, state, _ in found))
            return len(found) == 2 and {state for _, state, _ in found} == {"success"}
        return False

    running = []

    def begin(part: str) -> None:
        command = [PYTHON, "-m", "airflow", part]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        running.append(subprocess.Popen(command, env=variables, start_new_session=True, **silent))

    def alive() -> bool:
        return all(one.poll() is None for one in running)

    def answers() -> bool:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return True
        return False

    try:
        begin("api-server")
        # A task that is started before the server answers has failed.
        wait_until(answers, still=alive, seconds=200, every=0.2)
        begin("scheduler")
        begin("dag-processor")
        wait_until(ended, still=alive, seconds=400, every=0.2)
    finally:
        for one in running:
            os.killpg(one.pid, signal.SIGKILL)
            one.wait()
        database.close()
    states = [sorted(str(state) for _, state in at) for at in seen]
    assert ["running", "scheduled"] in states
    assert ["running", "running"] not in states
    for name in ("first", "second"):
        assert (night.folder / f"scored-{name}" / "_SUCCESS").exists()


def test_the_commands_of_the_page_run_the_night(short_night):
    night = short_night
    page = (ROOT / "docs" / "airflow.md").read_text("utf-8")
    copy, run = re.findall(r"^(?:cp|airflow) .*", page, re.MULTILINE)
    variables = environment(night.home)
    variables["PATH"] = f"{PYTHON.parent}:{variables['PATH']}"
    changed = night.dag.read_text("utf-8")
    night.dag.unlink()
    for line in (copy.replace("/opt/textbatch", str(ROOT)), run):
        done = subprocess.run(
            ["sh", "-ec", line], env=variables, capture_output=True, text=True, timeout=600,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        # What the page tells to change: the names at the top.
        night.dag.write_text(changed)
    assert pq.read_metadata(night.output).num_rows == 500


def test_dag_fails_without_a_retry_where_the_input_is_malformed(short_night):
    night = short_night
    night.input.write_bytes(b"no Parquet")
    done = night.end(night.start())
    assert (done["state"], done["tries"]) == ("failed", 1)
    assert (done["reports"], done["events"]) == ([], [])
    assert "exit code 65: textbatch: error[Data]" in done["log"]


def test_dag_retries_while_another_run_holds_the_output(short_night):
    night = short_night
    work = night.output.with_name(f".{night.output.name}.textbatch")
    work.mkdir()
    with (work / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = night.start()
        for line in process.stdout:
            if "exit code 75" in line:
                break
    done = night.end(process)
    assert done["state"] == "success"
    assert done["tries"] > 1
    assert done["reports"][0]["rows_out"] == 500


def test_killed_task_leaves_no_child_and_its_retry_finishes_the_job(long_night):
    night = long_night
    process = night.start()
    night.wait_until_rows_are_noted(process)
    (child,) = night.children()
    process.terminate()
    # The retry's command line is the same, but it starts a second later at the earliest.
    wait_until(lambda: child not in night.children())
    done = night.end(process)
    assert "exit code 143: textbatch: error[Terminated]" in done["log"]
    assert (done["state"], done["tries"]) == ("success", 2)
    assert_finished(night, done)


def test_task_that_is_killed_hard_leaves_no_child_and_a_rerun_finishes_the_job(long_night):
    night = long_night
    if not shutil.which("setpriv"):
        pytest.skip("no setpriv (util-linux)")
    process = night.start()
    night.wait_until_rows_are_noted(process)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    wait_until(lambda: not night.children())
    assert not night.output.exists()
    done = night.end(night.start())
    assert done["state"] == "success"
    assert_finished(night, done)


def test_mapped_tasks_share_a_folder_and_one_that_is_killed_is_tried_again(long_night):
    night = long_night
    source = night.input.with_suffix("")
    source.mkdir()
    rows = pq.read_table(night.input)
    for number in range(2):
        pq.write_table(rows.slice(number * 2_500, 2_500), source / f"{number}.parquet")
    text = (ROOT / "jobs" / "airflow_shares_dag.py").read_text("utf-8")
    text = text.replace("/srv/textbatch", str(night.folder)).replace("minutes=10", "seconds=1")
    text = text.replace('"100000"', '"2500", "--chunk-rows", "500", "--threads", "1"')
    text = text.replace("SHARES = 4", "SHARES = 2")
    text = text.replace("[COMMAND]", json.dumps([sys.executable, "-m", "textbatch"]))
    night.dag.write_text(text)
    night.output = night.folder / "scored" / source.name
    process = night.start("textbatch_shares")
    night.wait_until_rows_are_noted(process, size=3_000)
    process.terminate()
    done = night.end(process)
    assert done["state"] == "success", done["log"]
    assert "exit code 143: textbatch: error[Terminated]" in done["log"]
    tasks = [["finish", -1], ["score", 0], ["score", 1]]
    assert [task[:2] for task in done["tried"]] == tasks
    assert sorted(task[2] for task in done["tried"]) == [1, 1, 2]
    assert sorted(report["rows_out"] for report in done["reports"]) == [2_500, 2_500, 5_000]
    (event,) = done["events"]
    assert event["extra"]["rows_out"] == 5_000
    parts = night.output.glob("*.parquet")
    assert [pq.read_metadata(part).num_rows for part in parts] == [2_500, 2_500]
    assert (night.output / "_SUCCESS").exists()
    assert [*night.output.parent.iterdir()] == [night.output]


def assert_finished(night: Night, done: dict) -> None:
    (report,) = done["reports"]
    assert report["rows_out"] == pq.read_metadata(night.output).num_rows == 20_000
    assert report["rows_resumed"] > 0
    assert [path.name for path in night.output.parent.iterdir()] == [night.output.name]
    assert not night.children()


KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: none, user: {}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
current-context: none
"""


def test_all_dags_import_and_the_pod_is_valid_and_locked_down(database, tmp_path):
    home = shutil.copytree(database, tmp_path / "airflow")
    (home / "kubeconfig").write_text(KUBECONFIG)
    result = tmp_path / "result"
    command = [PYTHON, HERE / "dag_pod.py", ROOT / "jobs", result]
    subprocess.run(command, env=environment(home), check=True, timeout=120)
    found = json.loads(result.read_text("utf-8"))
    assert found["errors"] == {}
    assert found["dags"] == [
        "textbatch_docker", "textbatch_folder", "textbatch_kubernetes", "textbatch_nightly",
        "textbatch_shares",
    ]  # fmt: skip
    assert found["container"]["command"][0] == "score"
    pod = found["pod"]
    kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), strict=True)
    (container,) = [each for each in pod["spec"]["containers"] if each["name"] == "base"]
    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    # Where the sidecar that hands the report to Airflow looks for it.
    assert "--report=/airflow/xcom/return.json" in container["args"]
    assert "/airflow/xcom" in {mount["mountPath"] for mount in container["volumeMounts"]}
