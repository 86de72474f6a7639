"""`score --backend` on the real engines: the same bytes, whoever scores, dies or is run again."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts, write_texts
from support.killable_job import rounds

from textbatch import score

ROOT = Path(__file__).parents[3]
PYTHON = Path(os.environ.get("ENGINES_VENV", ROOT / ".venv-engines")) / "bin" / "python"

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="no engines (make test-engines installs .venv-engines)"
)

ENGINES = ("ray", "dask", "spark")


def engines(*sample: str) -> tuple[str, ...]:
    """All engines for `make test-engines` and `FAULTS=full`; else a sample, which takes minutes."""
    whole = "ENGINES" in os.environ or os.environ.get("FAULTS") == "full"
    return ENGINES if whole else sample


#: Spark with speculation, which only the long run tries.
SPECULATING = ("speculation",) if engines() else ()
#: Two executors; Spark begins a task a second time as soon as it can.
SPECULATION = (
    "--master local-cluster[2,1,512] --conf spark.executor.memory=512m "
    "--conf spark.speculation=true --conf spark.speculation.interval=50ms "
    "--conf spark.speculation.minTaskRuntime=10ms "
    "--conf spark.speculation.task.duration.threshold=100ms "
)
SPARK = (
    "--driver-memory 512m --conf spark.ui.enabled=false "
    "--conf spark.driver.bindAddress=127.0.0.1 --conf spark.driver.host=127.0.0.1 pyspark-shell"
)
ENVIRONMENT = {
    "PYSPARK_PYTHON": str(PYTHON),
    "PYSPARK_SUBMIT_ARGS": SPARK,
    "SPARK_LOCAL_IP": "127.0.0.1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
    "RAY_raylet_start_wait_time_s": "300",
}
#: A cluster that is there already gets jobs of 1, 2 and 3 workers.
BEGIN = {
    "ray": "import ray; ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False)",
    "dask": "from distributed import LocalCluster; cluster = LocalCluster(n_workers=3, "
    "threads_per_worker=1, dashboard_address=None, host='127.0.0.1')\n"
    "    given['address'] = cluster.scheduler_address",
    "spark": "from pyspark import SparkContext; SparkContext(master='local[3,3]')",
    "local": "import joblib; joblib.cpu_count = lambda: 3",
}
JOBS = """
import hashlib, pathlib, sys
from textbatch.errors import TooManyBadRowsError
from textbatch.report.listener import Listener
class Seen(Listener):
    begun, rows, shares = 0, 0, ()
    def begin(self, total_rows, *, step="scoring", unit="rows"):
        self.begun += 1
    def advance(self, rows, share=None):
        self.rows += rows
        self.shares = [*self.shares, share]
def main():
    given = {{"backend": "{engine}", "inputs": "in", "model": "model"}}
    {begin}
    from textbatch.scoring.config import ScoreConfig
    from textbatch.scoring.score import score
    for rows, jobs in {plans}:
        output = f"out-{{rows}}-{{jobs}}"
        config = ScoreConfig.given({{**given, "output": output, "jobs": jobs, "shard_rows": rows}})
        seen = Seen()
        score(config, run_id="0123456789abcdef", progress=seen)
        parts = sorted(pathlib.Path(output).glob("*.parquet"))
        whole = b"".join(part.read_bytes() for part in parts)
        print("told", rows, len(parts), hashlib.sha256(whole).hexdigest())
        # One bar for all workers, which never goes back, and ends where all is done.
        assert (seen.begun, seen.rows) == (1, 1000), (seen.begun, seen.rows)
        assert seen.shares == sorted(seen.shares) and seen.shares[-1] == 1, seen.shares
    # Two rows in two files are more than one in all.
    try:
        given |= {{"inputs": "bad", "output": "few", "jobs": 2}}
        score(ScoreConfig.given({{**given, "max_bad_rows": "1"}}))
    except TooManyBadRowsError as error:
        print("told", error.exit_code, pathlib.Path("few/_SUCCESS").exists())
if __name__ == "__main__":
    main()
"""
#: In every worker: whoever takes the lock of the poisonous file's part is killed.
POISON = """
import os, sys
def watch(event, given):
    mine = event == "open" and ".poison.parquet.textbatch/lock" in str(given[0])
    if mine and given[2] & os.O_RDWR:
        os.kill(os.getpid(), 9)
sys.addaudithook(watch)
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for number in range(6):
        write_texts(folder / f"f{number}.parquet", random_texts(2_000, seed=number, longest=12))
    return folder


@pytest.fixture(scope="module")
def expected(source, model, tmp_path_factory) -> str:
    output = tmp_path_factory.mktemp("undisturbed") / "out"
    score(source, output, model=model)
    return answers(output)


def answers(output: Path) -> str:
    """A hash of all rows: the parts also name their runs."""
    digest = hashlib.sha256()
    for path in sorted(output.glob("*.parquet")):
        table = pq.read_table(path).replace_schema_metadata(None)
        digest.update(path.name.encode() + str(table.num_rows).encode())
        for batch in table.to_batches():
            digest.update(batch.serialize())
    return digest.hexdigest()


def start(source: Path, output: Path, model: Path, engine: str, *flags: str, **environment: str):
    paths = [str(source), str(output), "--model", str(model), "--backend", engine]
    given = ["--jobs", "2", "--threads", "1", "--chunk-rows", "100", "--json", *flags]
    return subprocess.Popen(
        [PYTHON, "-m", "textbatch", "score", *paths, *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **ENVIRONMENT, **environment},
    )


def wait_for_owner(output: Path, process: subprocess.Popen[str]) -> int | None:
    """The process that holds the lock of an unfinished part."""
    while process.poll() is None:
        for lock in output.glob(".f*.textbatch/lock"):
            with suppress(OSError, ValueError, KeyError):
                return int(json.loads(lock.read_text())["pid"])
        time.sleep(0.005)
    return None


#: Files as they are, and cut into shards of about 50 and about 300 rows, with some workers each.
PLANS = (
    tuple((rows, jobs) for rows in (None, 50, 300) for jobs in (1, 2, 3))
    if engines()
    else ((None, 1), (None, 2), (None, 3), (50, 2))
)


@pytest.mark.parametrize("engine", ["local", *ENGINES])
def test_one_sha256_on_every_engine_with_any_number_of_workers(engine, model, tmp_path):
    for number in range(5):
        (tmp_path / "in").mkdir(exist_ok=True)
        table = pa.table({"text": random_texts(200, seed=number)})
        pq.write_table(table, tmp_path / "in" / f"f{number}.parquet", row_group_size=40)
    (tmp_path / "bad").mkdir()
    for number in range(2):
        texts = pa.array([b"refund", b"caf\xe9"], pa.binary())
        pq.write_table(pa.table({"text": texts}), tmp_path / "bad" / f"f{number}.parquet")
    shutil.copytree(model, tmp_path / "model")
    (tmp_path / "job.py").write_text(JOBS.format(engine=engine, begin=BEGIN[engine], plans=PLANS))
    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run(
        [PYTHON, "job.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = {line for line in done.stdout.splitlines() if line.startswith("told")}
    # The same in the process of the tests, without workers.
    from textbatch.scoring.config import ScoreConfig
    from textbatch.scoring.score import score as score_files

    expected = {"told 67 False"}
    for rows in {rows for rows, _ in PLANS}:
        output = tmp_path / f"here-{rows}"
        values = {"inputs": tmp_path / "in", "output": output, "model": model, "shard_rows": rows}
        score_files(ScoreConfig.given(values), run_id="0123456789abcdef")
        parts = sorted(output.glob("*.parquet"))
        digest = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
        expected.add(f"told {rows} {len(parts)} {digest}")
    assert told == expected


@pytest.mark.parametrize("seed", rounds(1, 20))
@pytest.mark.parametrize("engine", [*engines("ray"), *SPECULATING])
def test_a_killed_worker_loses_no_row(engine, seed, source, expected, model, tmp_path):
    environment = {}
    if engine == "speculation":
        engine, environment = "spark", {"PYSPARK_SUBMIT_ARGS": SPECULATION + SPARK}
    with start(source, tmp_path / "out", model, engine, **environment) as process:
        owner = wait_for_owner(tmp_path / "out", process)
        time.sleep(random.Random(seed).uniform(0, 0.4))
        if owner is not None:
            assert owner != process.pid
            with suppress(ProcessLookupError):
                os.kill(owner, signal.SIGKILL)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert json.loads(out)["rows_out"] == 12_000
    assert answers(tmp_path / "out") == expected
    assert not list((tmp_path / "out").glob(".f*"))


@pytest.mark.parametrize("seed", rounds(1, 20))
@pytest.mark.parametrize("engine", engines("dask"))
def test_a_killed_driver_goes_on_where_it_was(engine, seed, source, expected, model, tmp_path):
    output = tmp_path / "out"
    with start(source, output, model, engine) as process:
        wait_for_owner(output, process)
        time.sleep(random.Random(seed).uniform(0, 0.4))
        # A second one is told to wait.
        if seed == 1:
            with start(source, output, model, "local") as second:
                _, err = second.communicate(timeout=100)
            assert second.returncode == 75 or (output / "_SUCCESS").exists(), err
        process.send_signal(signal.SIGTERM if seed % 2 else signal.SIGKILL)
        process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGKILL, 128 + signal.SIGTERM, 0)
    done = {path.name: path.stat().st_mtime_ns for path in output.glob("f*.parquet")}
    with start(source, output, model, engine, "--if-exists", "skip") as again:
        out, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    assert json.loads(out)["rows_out"] == 12_000
    assert answers(output) == expected
    for name, moment in done.items():
        assert (output / name).stat().st_mtime_ns == moment, f"{name} was scored twice"
    assert not list(output.glob(".f*"))


@pytest.mark.parametrize("engine", [*engines("dask"), *(("local",) if engines() else ())])
def test_a_poisonous_file_fails_alone_and_is_named(engine, model, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("poison", *(f"f{number:02}" for number in range(49))):
        write_texts(tmp_path / "in" / f"{name}.parquet", ["refund the card"] * 3)
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(POISON)
    path = os.pathsep.join([str(tmp_path / "hook"), os.environ.get("PYTHONPATH", "")])
    output = tmp_path / "out"
    with start(tmp_path / "in", output, model, engine, PYTHONPATH=path) as process:
        _, err = process.communicate(timeout=300)
    assert process.returncode == 71, err[-3000:]
    assert re.search(r"in/poison\.parquet died (again and again|\d times)", err), err[-3000:]
    assert sorted(part.name for part in output.glob("*.parquet")) == [
        f"f{number:02}.parquet" for number in range(49)
    ]
    assert not (output / "_SUCCESS").exists()
    (tmp_path / "in" / "poison.parquet").unlink()
    report = score(tmp_path / "in", output, model=model)
    assert report.rows_out == 49 * 3
    assert report.files["scored"] == 0


@pytest.mark.parametrize("engine", engines("dask"))
def test_a_dead_address_is_worth_another_try(engine, source, model, tmp_path):
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    scheme = {"dask": "tcp://", "spark": "spark://"}.get(engine, "")
    address = f"{scheme}127.0.0.1:{port}"
    with start(source, tmp_path / "out", model, engine, "--address", address) as process:
        _, err = process.communicate(timeout=100)
    assert process.returncode == 75, err
    assert address in err
