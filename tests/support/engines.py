"""Ray, Dask and Spark in an environment of their own, and jobs that run in it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("ENGINES_VENV", ROOT / ".venv-engines")) / "bin" / "python"

needs_engines = pytest.mark.skipif(
    not PYTHON.exists(), reason="no engines (make test-engines installs .venv-engines)"
)

ENGINES = ("ray", "dask", "spark")
#: Whether everything is tried: `make test-engines` and `FAULTS=full`.
WHOLE = "ENGINES" in os.environ or os.environ.get("FAULTS") == "full"


def engines(*sample: str) -> tuple[str, ...]:
    """All engines in the long run; else a sample, which takes minutes."""
    return ENGINES if WHOLE else sample


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


def run_script(folder: Path, text: str, *, seconds: float = 300) -> list[str]:
    """Run a script in the environment of the engines.

    Args:
        folder: Where it runs.
        text: The script.
        seconds: How long it may take.

    Returns:
        What it printed, without what engines print.
    """
    (folder / "job.py").write_text(text)
    done = subprocess.run(
        [PYTHON, "job.py"],
        cwd=folder,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [line for line in done.stdout.splitlines() if line.startswith("told")]


def start(source: Path, output: Path, model: Path, engine: str, *flags: str, **environment: str):
    """Start `score` on an engine, with two workers.

    Args:
        source: The input.
        output: The output.
        model: The model.
        engine: Its name; `speculation` is Spark that begins tasks twice.
        *flags: More options.
        **environment: More variables.
    """
    if engine == "speculation":
        engine = "spark"
        environment = {"PYSPARK_SUBMIT_ARGS": SPECULATION + SPARK, **environment}
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
    """The process that holds the lock of an unfinished part; None if all ends before.

    Args:
        output: The output.
        process: The driver.
    """
    while process.poll() is None:
        for lock in output.glob(".f*.textbatch/lock"):
            with suppress(OSError, ValueError, KeyError):
                return int(json.loads(lock.read_text())["pid"])
        time.sleep(0.005)
    return None


def answers(output: Path) -> str:
    """A hash of all rows: the parts also name their runs."""
    digest = hashlib.sha256()
    for path in sorted(output.glob("*.parquet")):
        table = pq.read_table(path).replace_schema_metadata(None)
        digest.update(path.name.encode() + str(table.num_rows).encode())
        for batch in table.to_batches():
            digest.update(batch.serialize())
    return digest.hexdigest()
