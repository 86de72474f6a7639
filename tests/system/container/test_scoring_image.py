"""The scoring image's environment, built by the Dockerfile's own steps, in a root like the image's.

`make test-container` asks for it: the build takes packages from the network.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.azurite import azurite, connection_to
from support.azurite import is_there as azurite_is_there
from support.bundles import blended_bundle, random_bundle, random_texts, write_bundle, write_texts
from support.dockerfile import ROOT, stages

HERE = Path(__file__).parent
UNSHARE = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
PLACE = "/opt/textbatch"


def permitted() -> bool:
    if os.getuid() or not shutil.which("unshare"):
        return False
    return subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode == 0


pytestmark = [
    pytest.mark.skipif(
        "TEXTBATCH_TEST_CONTAINER" not in os.environ, reason="only in make test-container"
    ),
    pytest.mark.skipif(not permitted(), reason="unshare is not permitted here (it needs root)"),
]


@pytest.fixture(scope="session")
def environment(tmp_path_factory) -> Path:
    """Where the steps of the stages `build` and `build-score` have put their environment."""
    given = os.environ.get("TEXTBATCH_TEST_CONTAINER")
    if given and Path(given).is_absolute():  # built before
        return Path(given)
    folder = tmp_path_factory.mktemp("image")
    subprocess.run([sys.executable, "-m", "venv", folder / "base"], check=True)
    place, build = folder / "textbatch", folder / "build"
    build.mkdir()
    variables = {**os.environ, "PATH": f"{folder}/base/bin:{os.environ['PATH']}"}
    variables.pop("PYTHONPATH", None)
    for word, rest in [*stages()["build"].steps, *stages()["build-score"].steps]:
        if word in ("ENV", "ARG"):
            variables.update(pair.split("=", 1) for pair in rest.split())
        elif word == "RUN":
            command = rest.replace(PLACE, str(place))
            subprocess.run(["/bin/sh", "-c", command], cwd=build, env=variables, check=True)
        elif word == "COPY":
            for name in rest.split()[:-1]:
                target = build / name
                if (ROOT / name).is_dir():
                    shutil.copytree(ROOT / name, target, dirs_exist_ok=True)
                else:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(ROOT / name, target)
    return place


class Container:
    """The root file system around that environment, with a folder at /data."""

    def __init__(self, folder: Path, environment: Path) -> None:
        self.data = folder / "data"
        self.data.mkdir()
        self.data.chmod(0o777)
        self._root = folder / "root"
        self._root.mkdir()
        self.environment = environment

    def start(self, *command: str) -> subprocess.Popen[str]:
        folders = [self._root, self.environment, sys.base_prefix, self.data]
        return subprocess.Popen(
            [*UNSHARE, HERE / "enter.sh", *map(str, folders), *command],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*command)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(command, process.returncode, out, err)


@pytest.fixture
def container(tmp_path, environment, model) -> Container:
    made = Container(tmp_path, environment)
    shutil.copytree(model, made.data / "model")
    write_texts(made.data / "in.parquet", random_texts(1_000))
    return made


def test_environment_is_small_and_has_no_training_library(environment):
    bytes_on_disk = sum(path.lstat().st_blocks * 512 for path in environment.rglob("*"))
    assert bytes_on_disk / 1e6 <= 450
    packages = next(environment.glob("lib/python3.*/site-packages"))
    names = {path.name.split("-")[0].lower() for path in packages.glob("*.dist-info")}
    assert "textbatch" in names
    assert not names & {"tensorflow", "keras", "gensim", "scipy", "scikit_learn", "pandas"}


def test_root_is_read_only_the_user_has_no_name_and_there_is_no_network(container):
    told = container.run("sh", "-c", "id -u; echo ${HOME-none}; id -un; touch /here")
    assert told.stdout.split()[:2] == ["54321", "none"]
    assert "cannot find name" in told.stderr
    assert "Read-only file system" in told.stderr
    connect = "import socket; socket.create_connection(('1.1.1.1', 53), 3)"
    assert "Network is unreachable" in container.run("python", "-c", connect).stderr


@pytest.mark.parametrize("kind", ["network", "blend"])
def test_image_scores(container, kind):
    if kind == "blend":
        shutil.rmtree(container.data / "model")
        write_bundle(container.data / "model", blended_bundle())
    flags = ("--report", "report.json", "--top-k", "2", "--probabilities")
    done = container.run("textbatch", "score", "in.parquet", "out.parquet", *flags)
    assert (done.returncode, done.stderr) == (0, "")
    assert pq.read_metadata(container.data / "out.parquet").num_rows == 1_000
    report = json.loads((container.data / "report.json").read_text("utf-8"))
    assert (report["state"], report["rows_out"]) == ("done", 1_000)
    assert (container.data / "out.parquet").stat().st_uid == 54321
    for command in ("verify", "inspect"):
        done = container.run("textbatch", command, "out.parquet")
        assert (done.returncode, done.stderr) == (0, ""), command


def test_image_writes_metrics_and_a_page(container):
    flags = ("--html", "run.html", "--metrics-file", "nightly.prom")
    # HOME as the image sets it; this machine's fontconfig, which the image has not, may complain.
    words = ("textbatch", "score", "in.parquet", "out.parquet", *flags)
    done = container.run("env", "HOME=/tmp", *words)
    assert done.returncode == 0, done.stderr
    assert "textbatch:" not in done.stderr
    assert "<svg" in (container.data / "run.html").read_text("utf-8")
    assert "textbatch_rows_in" in (container.data / "nightly.prom").read_text("utf-8")


def test_environment_scores_in_s3(environment, store, model, tmp_path):
    """Outside of the root file system, where no network leads to the test's store."""
    store.put_folder(model, "model")
    source = write_texts(tmp_path / "in.parquet", random_texts(50))
    store.put("incoming/a.parquet", source.read_bytes())
    places = ("s3://bucket/incoming/", "s3://bucket/scored/", "--model", "s3://bucket/model/")
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    variables.pop("PYTHONPATH", None)
    done = subprocess.run(
        [environment / "bin" / "textbatch", "score", *places, "--incremental"],
        env=variables, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert store.table("scored/a.parquet").num_rows == 50


@pytest.fixture(scope="session")
def with_stores(environment, tmp_path_factory) -> Path:
    """The environment that `EXTRAS=s3,gcs,azure,prometheus,html` makes: its Python."""
    python = environment / "bin" / "python"
    if subprocess.run([python, "-c", "import google.cloud.storage, adlfs"], check=False,
                      capture_output=True).returncode == 0:  # fmt: skip
        return python
    copy = shutil.copytree(environment, tmp_path_factory.mktemp("stores") / "env", symlinks=True)
    install = [sys.executable, "-m", "pip", "--python", copy / "bin" / "python", "install", "-q"]
    constrained = ["--only-binary", ":all:", "-c", ROOT / "constraints.txt"]
    subprocess.run([*install, *constrained, f"{ROOT}[gcs,azure]"], check=True, timeout=600)
    return copy / "bin" / "python"


def score_with(python: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    environment.pop("PYTHONPATH", None)
    return subprocess.run(
        [python, "-m", "textbatch", "score", *words], env=environment, capture_output=True,
        text=True, check=False, timeout=120, cwd="/",
    )  # fmt: skip


def test_environment_with_more_stores_scores_in_googles(with_stores, model, tmp_path):
    emulator = pytest.importorskip("gcp_storage_emulator.server", reason="no emulator")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket="bucket")
    server.start()
    try:
        source = write_texts(tmp_path / "in.parquet", random_texts(50))
        place = {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}", "HOME": str(tmp_path)}
        there = "gs://bucket/scored.parquet"
        done = score_with(with_stores, str(source), there, "--model", str(model), **place)
        assert done.returncode == 0, done.stderr
        back = tmp_path / "back.parquet"
        done = score_with(with_stores, there, str(back), "--prefix", "b_", "--model", str(model),
                          **place)  # fmt: skip
        assert done.returncode == 0, done.stderr
    finally:
        server.stop()
    assert {"predicted_label", "b_predicted_label"} <= {*pq.read_schema(back).names}


@pytest.mark.skipif(not azurite_is_there(), reason="no Azurite (make test-azure installs it)")
def test_environment_with_more_stores_scores_in_azure(with_stores, model, tmp_path):
    """A folder, night by night, with metrics and a page."""
    fsspec = pytest.importorskip("fsspec")
    (tmp_path / "azurite").mkdir()
    with azurite(tmp_path / "azurite") as port:
        connection = connection_to(port)
        azure = fsspec.filesystem("abfs", connection_string=connection, use_listings_cache=False)
        azure.mkdir("box")
        for path in model.iterdir():
            azure.put_file(str(path), f"box/model/{path.name}")
        source = write_texts(tmp_path / "in.parquet", random_texts(50))
        page, metrics = tmp_path / "run.html", tmp_path / "nightly.prom"
        rows = []
        for name in ("a", "b"):
            azure.put_file(str(source), f"box/incoming/{name}.parquet")
            done = score_with(
                with_stores, "abfs://box/incoming/", "abfs://box/scored/", "--incremental",
                "--model", "abfs://box/model/", "--html", str(page),
                "--metrics-file", str(metrics), "--json",
                AZURE_STORAGE_CONNECTION_STRING=connection, HOME=str(tmp_path),
                XDG_CACHE_HOME=str(tmp_path / "cache"),
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            rows.append(json.loads(done.stdout)["rows_out"])
            assert 'textbatch_rows_in{task="nightly"} 50.0' in metrics.read_text("utf-8")
            assert "<svg" in page.read_text("utf-8")
        assert rows == [50, 50]
        there = {name.rpartition("/")[2] for name in azure.find("box/scored")}
        assert there == {"_SUCCESS", "_manifest.jsonl", "a.parquet", "b.parquet"}


def test_environment_with_more_stores_asks_azure(with_stores, model, tmp_path):
    """Nothing answers there: what is missing is the store, and no library."""
    source = write_texts(tmp_path / "in.parquet", random_texts(5))
    account = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=aGk=;"
    done = score_with(
        with_stores, str(source), "abfs://box/scored.parquet", "--model", str(model),
        AZURE_STORAGE_CONNECTION_STRING=f"{account}BlobEndpoint=http://127.0.0.1:1/a;",
        TEXTBATCH_RETRY_SECONDS="1", HOME=str(tmp_path),
    )  # fmt: skip
    assert done.returncode == 75, done.stderr
    assert "pip install" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [("train", "in.parquet"), ("evaluate", "in.parquet"), ("demo",)],
    ids=lambda words: words[0],
)
def test_commands_that_need_more_say_so_in_one_line(container, words):
    done = container.run("textbatch", *words)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "not installed; pip install 'textbatch[train]'" in done.stderr


def test_sigterm_reaches_the_command_as_process_1(container):
    bundle = random_bundle(layers=(("gru", 150), ("lstm", 200)), max_sequence_length=50)
    write_bundle(container.data / "slow", bundle)
    write_texts(container.data / "in.parquet", random_texts(20_000, longest=40))
    flags = ("--model", "slow", "--chunk-rows", "500", "--threads", "1")
    process = container.start("textbatch", "score", "in.parquet", "out.parquet", *flags)
    while not list(container.data.glob(".out.parquet.*.tmp")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    (child,) = map(int, children.split())
    assert Path(f"/proc/{child}/status").read_text().split("NSpid:")[1].split()[1] == "1"
    os.kill(child, signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert not (container.data / "out.parquet").exists()


def test_a_thousand_rows_take_less_than_a_second_and_a_half_of_processor_time(container):
    """Not of the clock's time, which depends on who else wants this machine."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = container.run("textbatch", "score", "in.parquet", "out.parquet", "--overwrite")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0, done.stderr
        seconds.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert min(seconds) <= 1.5
