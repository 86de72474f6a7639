"""The pages about Spark, Ray and Dask, run in the real engines, in an environment of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from textwrap import indent

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts

ROOT, HERE = Path(__file__).parents[3], Path(__file__).parent
PYTHON = Path(os.environ.get("ENGINES_VENV", ROOT / ".venv-engines")) / "bin" / "python"

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="no engines (make test-engines installs .venv-engines)"
)

ROWS = 3000
ENVIRONMENT = {
    "PYSPARK_PYTHON": str(PYTHON),
    "PYSPARK_SUBMIT_ARGS": "--master local[2] --driver-memory 1g --conf spark.ui.enabled=false "
    "--conf spark.driver.bindAddress=127.0.0.1 --conf spark.driver.host=127.0.0.1 "
    "--conf spark.sql.files.maxPartitionBytes=65536 pyspark-shell",
    "SPARK_LOCAL_IP": "127.0.0.1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
}
RAY = """
import ray
ray.init(
    num_cpus=3, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000,
    _node_ip_address="127.0.0.1", _temp_dir="{folder}",
)
"""
DASK = """
def main():
    from distributed import Client
    Client(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1")
{page}
{checks}
if __name__ == "__main__":
    main()
"""
#: What is found before a job begins.
ERRORS = """
import json
told = []
for column, model, options in (
    (None, "model", {{"text_column": "no"}}), (None, "no-model", {{}}),
    (None, "model", {{"top_k": -1}}), ("status", "model", {{}}),
    ("number", "model", {{"text_column": "number"}}),
):
    given = {given}
    try:
        textbatch.{engine}.score(given, model, **options)
    except textbatch.TextbatchError as error:
        told.append(type(error).__name__)
    else:
        told.append("none")
print("told", json.dumps(told))
"""
ANSWERS = ["predicted_label", "confidence", "status"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, model) -> Path:
    """A model, rows, and what `textbatch score` makes of them in the environment of the engines."""
    folder = tmp_path_factory.mktemp("engines")
    shutil.copytree(model, folder / "model")
    texts = [*news()[: ROWS - 500], *random_texts(500, seed=3)]
    table = pa.table({"id": range(len(texts)), "text": pa.array(texts, pa.string())})
    pq.write_table(table, folder / "incoming.parquet", row_group_size=700)
    command = ["-m", "textbatch", "score", "incoming.parquet", "expected.parquet", "--top-k", "2"]
    subprocess.run([PYTHON, *command], cwd=folder, check=True, capture_output=True, timeout=120)
    return folder


def news() -> list[str]:
    data = Path(os.environ.get("TEXTBATCH_DATA", ROOT / "shared" / "data"))
    file = data / "agnews-3000-test.parquet"
    return pq.read_table(file)["text"].to_pylist() if file.exists() else random_texts(ROWS)


def page(name: str) -> str:
    text = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    return "\n".join(re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))


def run(script: str, folder: Path, here: Path) -> object:
    """Run a script in a folder with the same rows. Returns what it told."""
    here.mkdir()
    shutil.copytree(folder / "model", here / "model")
    shutil.copy(folder / "incoming.parquet", here)
    (here / "job.py").write_text(script)
    done = subprocess.run(
        [PYTHON, "job.py"],
        cwd=here,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (told,) = (line for line in done.stdout.splitlines() if line.startswith("told "))
    return json.loads(told.removeprefix("told "))


def answers(place: Path, columns: list[str]) -> dict[str, list]:
    """The answers in the order of the rows. Floats are equal only if their bits are."""
    files = [place] if place.is_file() else sorted(place.rglob("*.parquet"))
    table = pa.concat_tables(
        [plain(ds.dataset(file).to_table(columns=["id", *columns])) for file in files]
    )
    return table.sort_by("id").to_pydict()


def plain(table: pa.Table) -> pa.Table:
    """Engines have types of their own for lists and texts."""
    kinds = {
        "confidence": pa.float32(),
        "top_labels": pa.list_(pa.string()),
        "top_confidences": pa.list_(pa.float32()),
        "id": pa.int64(),
    }
    columns = [table[name].cast(kinds.get(name, pa.string())) for name in table.column_names]
    return pa.table(columns, table.column_names)


def test_spark_gives_the_same_bits_and_keeps_its_own_types(folder, tmp_path):
    script = page("spark") + (HERE / "spark_checks.py").read_text("utf-8")
    told = run(script, folder, tmp_path / "spark")
    columns = [*ANSWERS, "top_labels", "top_confidences"]
    found = answers(tmp_path / "spark" / "scored", columns)
    assert found == answers(folder / "expected.parquet", columns)
    assert len(list((tmp_path / "spark" / "scored").glob("*.parquet"))) > 1
    statuses = ["bad_text", "empty_text", "null_text", "ok"]
    assert told == {
        "lost": [],
        "statuses": {
            "false": statuses, "joined false": ["ok"], "true": statuses, "joined true": ["ok"],
        },
        "errors": [
            "DataError", "DataError", "BundleError", "ConflictError", "ConflictError",
            "DataError", "UsageError",
        ],
    }  # fmt: skip


def test_ray_gives_the_same_bits(folder, tmp_path):
    # Its sockets need a short path.
    given = (
        "ray.data.from_arrow(pa.table({'text': ['a'], column or 'x': ['b']}))"
        " if column != 'number' else ray.data.from_arrow(pa.table({'number': [1]}))"
    )
    checks = "import pyarrow as pa\n" + ERRORS.format(engine="ray", given=given)
    short = Path("/tmp") / f"tb-ray-{os.getpid()}"
    try:
        told = run(RAY.format(folder=short) + page("ray") + checks, folder, tmp_path / "ray")
    finally:
        shutil.rmtree(short, ignore_errors=True)
    columns = [*ANSWERS, "top_labels", "top_confidences"]
    expected = answers(folder / "expected.parquet", columns)
    assert answers(tmp_path / "ray" / "scored", columns) == expected
    assert answers(tmp_path / "ray" / "by-hand", columns) == expected
    assert told == ["DataError", "BundleError", "UsageError", "ConflictError", "DataError"]


def test_dask_gives_the_same_bits(folder, tmp_path):
    given = (
        "dd.from_pandas(pd.DataFrame({'text': ['a'], column or 'x': ['b']}), npartitions=1)"
        " if column != 'number' else dd.from_pandas(pd.DataFrame({'number': [1]}), npartitions=1)"
    )
    more = (
        "\nimport pandas as pd\n"
        "for parts in (1, 7):\n"
        "    again = textbatch.dask.score(frame.repartition(npartitions=parts), 'model')\n"
        "    again.to_parquet(f'parts-{parts}')\n"
        "none = textbatch.dask.score(frame[frame['id'] < 0], 'model').compute()\n"
        "assert len(none) == 0 and list(none.columns)[-3:] == "
        "['predicted_label', 'confidence', 'status']\n"
    )
    checks = more + ERRORS.format(engine="dask", given=given)
    script = DASK.format(page=indent(page("dask"), "    "), checks=indent(checks, "    "))
    told = run(script, folder, tmp_path / "dask")
    expected = answers(folder / "expected.parquet", ANSWERS)
    for name in ("scored", "parts-1", "parts-7"):
        assert answers(tmp_path / "dask" / name, ANSWERS) == expected
    assert told == ["DataError", "BundleError", "UsageError", "ConflictError", "DataError"]


#: What is told beside a label, of some rows: of a file, and on an engine.
BESIDE = """
import json
import pyarrow.parquet as pq
pq.write_table(pq.read_table("incoming.parquet").slice(2480, 60), "few.parquet")
asked = {"explain": 2, "on_long": "window", "top_k": 2}
textbatch.score("few.parquet", "expected.parquet", model="model", **asked)
"""
ON_ENGINE = {
    "spark": 'given = spark.read.parquet("few.parquet")\n'
    'textbatch.spark.score(given, "model", **asked).write.parquet("beside")\n',
    "ray": 'given = ray.data.read_parquet("few.parquet")\n'
    'textbatch.ray.score(given, "model", **asked).write_parquet("beside")\n',
    "dask": 'given = dd.read_parquet("few.parquet")\n'
    'textbatch.dask.score(given, "model", **asked).to_parquet("beside")\n',
}


def beside(place: Path) -> list[tuple]:
    """What is told of each row, in the order of the rows. Engines have types of their own."""
    files = [place] if place.is_file() else sorted(place.rglob("*.parquet"))
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    return [
        (
            *(row[name] for name in [*ANSWERS, "top_labels", "top_confidences"]),
            [(one["token"], one["weight"]) for one in row["explanation"] or []],
        )
        for row in sorted(rows, key=lambda row: row["id"])
    ]


@pytest.mark.parametrize("engine", ON_ENGINE)
def test_explanations_and_windows_are_those_of_a_file(engine, folder, tmp_path):
    checks = f'{BESIDE}{ON_ENGINE[engine]}print("told", json.dumps("done"))\n'
    short = Path("/tmp") / f"tb-beside-{os.getpid()}"
    script = page(engine) + checks
    if engine == "ray":
        script = RAY.format(folder=short) + script
    elif engine == "dask":
        script = DASK.format(page=indent(page("dask"), "    "), checks=indent(checks, "    "))
    try:
        assert run(script, folder, tmp_path / engine) == "done"
    finally:
        shutil.rmtree(short, ignore_errors=True)
    expected = beside(tmp_path / engine / "expected.parquet")
    assert len(expected) == 60
    assert any(row[-1] for row in expected)
    assert beside(tmp_path / engine / "beside") == expected
