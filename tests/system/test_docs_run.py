"""Every code block of the documentation runs."""

from __future__ import annotations

import gzip
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from random import Random
from textwrap import indent

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.csv import read_csv, write_csv
from support.bundles import (
    random_bundle,
    run_cli,
    warmer_bundle,
    with_novelty,
    with_reference,
    write_bundle,
)

from textbatch.cli.demo.files import LABELLED, NEW, NEW_CSV, TEXTS, write_files

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

TRAIN = "textbatch train tickets.csv --text-column body --label-column queue"

#: Lines that are not run here, and why.
ELSEWHERE = {
    "pip install ": "the tests run on it",
    "/opt/textbatch/.venv/bin/pip install ": "the tests run on it",
    "python3 -m venv ": "make does it",
    "make ": "make runs the tests",
    "crontab ": "tests/system/jobs/test_jobs.py runs its lines",
    "systemctl ": "tests/system/jobs/test_systemd.py runs what the service runs",
    "cp /opt/textbatch/jobs/systemd/": "tests/system/jobs/test_systemd.py",
    'cp /opt/textbatch/jobs/airflow_dag.py "$AIRFLOW_HOME/': "tests/system/jobs/test_airflow.py",
    "airflow ": "tests/system/jobs/test_airflow.py runs the page",
    "docker ": "tests/system/container runs what the image holds",
    "kubectl ": "tests/system/jobs/test_kubernetes.py runs what the pods run",
    "job=$(kubectl ": "tests/system/jobs/test_kubernetes.py",
    "job=$(sbatch ": "tests/system/jobs/test_slurm.py",
    "sbatch ": "tests/system/jobs/test_slurm.py runs its lines",
    "textbatch tune ": "tests/training/test_tune.py",
    f"{TRAIN} --overwrite --quick --refit": "tests/training/test_train.py",
    f"{TRAIN} --overwrite --settings study/": "tests/training/test_tune.py",
    f"{TRAIN} --resume": "tests/training/fit/test_resume.py",
    "textbatch score incoming/ scored/ --backend ": "tests/system/engines/test_backends.py",
    "textbatch demo": "tests/cli/demo; the files that it makes are there",
    "textbatch --install-completion": "tests/cli/test_completion.py",
    f"{TRAIN} --vectors cc.en.300.bin": "a file of 7 GB",
    f"{TRAIN} --vectors wordllama": "tests/training/fit/test_vector_sources.py",
    f"{TRAIN} --vectors glove-wiki-gigaword-100": "a file of 134 MB, from the network",
}

#: The endpoint that docs/object-storage.md names.
LOCAL_STORE = "http://localhost:9000"

#: Commands in which a shell would only take the words apart. They run in this process: a start
#: takes longer than what they do here.
PLAIN = re.compile(r"textbatch [^|&;<>$`*?~\n]*")

#: Commands that fit many networks. Where two pages name the same one, it runs once.
LONG = ("textbatch train ", "textbatch audit ")

#: Training in a moment: what is tested here are the commands, not the models.
QUICK = 'min_count = 1\n[fit]\nmax_epochs = 1\n[[layers]]\ncell = "gru"\nunits = 4\n'


def blocks(page: Path, *languages: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [text for language, text in fenced if language in languages]


def scripts(page: Path) -> list[list[str]]:
    """The commands of each block for a shell."""
    found = blocks(page, "", "sh", "bash", "console")
    return [[*filter(None, text.replace("\\\n", " ").splitlines())] for text in found]


def commands(page: Path) -> list[str]:
    return [line for script in scripts(page) for line in script]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The files that `textbatch demo --files-only` makes, smaller, and others that pages name."""
    folder = tmp_path_factory.mktemp("docs")
    write_files(folder, labelled_rows=200, new_rows=300)
    texts = (folder / TEXTS).read_text("utf-8").splitlines()
    both = pa.table({"text": texts, "body": texts})
    tickets = read_csv(folder / LABELLED)
    (folder / "incoming" / "year=2026").mkdir(parents=True)
    for place in ("incoming.parquet", "incoming/a.parquet"):
        pq.write_table(both, folder / place)
    with gzip.open(folder / "incoming" / "year=2026" / "b.csv.gz", "wb") as file:
        write_csv(both, file)
    random = Random(0)
    words = sorted({word for text in texts for word in text.lower().split()})
    rows = (f"{word} " + " ".join(f"{random.random():.3f}" for _ in range(100)) for word in words)
    (folder / GLOVE).write_text("\n".join(rows))
    demo = folder / "textbatch-demo"
    demo.mkdir()
    pq.write_table(
        tickets.rename_columns(["id", "text", "label"]), demo / "tickets-labelled.parquet"
    )
    pq.write_table(both, demo / "tickets-unlabelled.parquet")
    made = with_reference(with_novelty(random_bundle()), texts)
    for name, bundle in (("model", made), ("new", warmer_bundle())):
        settings = replace(bundle.settings, text_column="body")
        write_bundle(folder / name, replace(bundle, settings=settings))
    for copy in ("srv/model", "own-model"):
        shutil.copytree(folder / "model", folder / copy)
    shutil.copy(folder / "incoming.parquet", folder / "srv")
    (folder / "quick.toml").write_text(QUICK)
    bin_ = folder / "bin"
    bin_.mkdir()
    for name, words in (("textbatch", "-m textbatch"), ("python", "")):
        script = bin_ / name
        script.write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n')
        script.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def ran() -> set[str]:
    """The long commands that ran already."""
    return set()


#: Each of these begins with nothing but what its own commands make, and a small model.
HOW_TOS = (
    "augmentation.md",
    "configuration.md",
    "csv.md",
    "inputs.md",
    "multi-label.md",
    "observability.md",
    "open-output.md",
    "several-models.md",
    "small-data.md",
    "tables.md",
    "tuning.md",
    "vectors.md",
    "which.md",
)
#: The only file that a reader of these has to fetch.
GLOVE = "glove.6B.100d.txt"
#: How they make their files.
MADE = "textbatch demo --files-only --folder ."
#: Their commands need what their Python makes, and run with it.
WITH_PYTHON = {"keras-model.md"}


@pytest.mark.parametrize(
    "page",
    [p for p in PAGES if commands(p) and p.name not in WITH_PYTHON],
    ids=lambda page: page.name,
)
def test_commands_run_one_after_the_other(
    page, folder, ran, tmp_path, request, in_process, monkeypatch
):
    here = start_of(page, folder, tmp_path / "here")
    if "s3://" in page.read_text("utf-8"):
        fill(request.getfixturevalue("store"), folder)
    monkeypatch.chdir(here)
    environment = {
        "PATH": f"{here / 'bin'}:{os.environ['PATH']}",
        "TEXTBATCH_TRAIN_SETTINGS": "quick.toml",
        "TEXTBATCH_AUDIT_SETTINGS": "quick.toml",
        # Five processes with TensorFlow for each line would take most of the time.
        "TEXTBATCH_TRAIN_QUICK": "1",
        "TEXTBATCH_AUDIT_FOLDS": "2",
        # A reader picks one of several commands that write the same file.
        **{f"TEXTBATCH_{name}_OVERWRITE": "1" for name in ("TRAIN", "VECTORS")},
    }
    for script in scripts(page):
        exports: list[str] = []
        for line in script:
            if line.startswith("export "):
                exports.append(line)
                continue
            if line == MADE:
                copy_made(folder, here)
            if line.startswith(tuple(ELSEWHERE)):
                continue
            if line.startswith(LONG):
                what = line.replace(" --overwrite", "")
                if what in ran:
                    continue
                ran.add(what)
            environment["TEXTBATCH_SCORE_OVERWRITE"] = str(int("--incremental" not in line))
            words = installed("\n".join([*exports, line]), here)
            if PLAIN.fullmatch(words):
                run = in_process(*shlex.split(words, comments=True)[1:], **environment)
            else:
                run = subprocess.run(
                    ["sh", "-ec", words], env={**os.environ, **environment}, capture_output=True,
                    text=True, timeout=600, check=False,
                )  # fmt: skip
            assert run.returncode == 0, f"{line}\n{run.stderr}"


def start_of(page: Path, folder: Path, here: Path) -> Path:
    """Make the folder in which a page's commands run."""
    if page.name not in HOW_TOS:
        return shutil.copytree(folder, here)
    here.mkdir()
    for name in ("bin", "model"):
        shutil.copytree(folder / name, here / name)
    shutil.copy(folder / "quick.toml", here)
    return here


def copy_made(folder: Path, here: Path) -> None:
    """What `textbatch demo --files-only` would make, smaller, and what a reader has to fetch."""
    for name in (LABELLED, NEW, NEW_CSV, TEXTS, GLOVE):
        shutil.copy(folder / name, here)


def installed(line: str, here: Path) -> str:
    """A command with the places of these tests for those of an installation."""
    return (
        line.replace("/opt/textbatch/.venv/bin", str(here / "bin"))
        .replace("/opt/textbatch", str(ROOT))
        .replace("/srv/textbatch", str(here / "srv"))
        .replace(LOCAL_STORE, os.environ.get("AWS_ENDPOINT_URL", LOCAL_STORE))
    )


def fill(store, here: Path) -> None:
    """Put the objects that a page names into the bucket."""
    store.put_folder(here / "incoming", "incoming")
    store.put_folder(here / "model", "model")
    store.put("input.parquet", (here / "input.parquet").read_bytes())


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "toml")], ids=lambda p: p.name)
def test_toml_is_toml_and_settings_are_settings(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in blocks(page, "toml"):
        assert tomllib.loads(text)
        if page.name == "configuration.md":
            Path("textbatch.toml").write_text(text)
            run = run_cli("config", "show")
            assert run.returncode == 0, run.stderr


def test_the_python_of_the_readme_runs(folder, tmp_path, monkeypatch):
    import textbatch

    here = shutil.copytree(folder, tmp_path / "here")
    monkeypatch.chdir(here)
    # Training runs in the test of the command; TensorFlow needs a process of its own.
    monkeypatch.setattr(textbatch, "train", lambda *_, **__: None)
    names = {"frame": pd.read_parquet("input.parquet")}
    (text,) = blocks(ROOT / "README.md", "python")
    exec(text, names)
    assert list(names["frame"].columns[-3:]) == ["predicted_label", "confidence", "status"]
    assert np.isfinite(names["frame"]["confidence"].dropna()).all()
    assert len(pd.read_parquet("out.parquet")) == len(names["frame"])


def test_the_python_of_object_storage_runs(folder, store, model):
    import textbatch

    fill(store, folder)
    textbatch.score("s3://bucket/incoming/", "s3://bucket/scored/", model=model)
    rule, reading = blocks(ROOT / "docs" / "object-storage.md", "python")
    exec(rule)
    (found,) = store.client.get_bucket_lifecycle_configuration(Bucket="bucket")["Rules"]
    assert found["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    names: dict = {}
    exec(reading, names)
    assert names["rows"] == 2 * pq.read_metadata(folder / "incoming.parquet").num_rows


@pytest.mark.parametrize(
    ("name", "language", "files"),
    [("airflow", "python", "airflow_*.py"), ("kubernetes", "yaml", "kubernetes/*.yaml")],
)
def test_what_a_page_shows_of_a_job_is_what_the_file_holds(name, language, files):
    """The files themselves run in tests/system/jobs."""
    texts = [path.read_text("utf-8") for path in (ROOT / "jobs").glob(files)]
    shown = blocks(ROOT / "docs" / f"{name}.md", language)
    assert shown
    for block in shown:
        # The same lines, perhaps further to the right.
        margins = [" " * margin for margin in range(0, 24, 2)]
        assert any(indent(block, margin) in text for margin in margins for text in texts), block


def test_kubectl_is_told_of_jobs_that_there_are():
    yaml = pytest.importorskip("yaml")
    lines = [line for line in commands(ROOT / "docs" / "kubernetes.md") if "kubectl" in line]
    named = {name for line in lines for name in re.findall(r"jobs/\S+\.yaml", line)}
    assert {ROOT / name for name in named} == set((ROOT / "jobs" / "kubernetes").glob("*.yaml"))
    for name in re.findall(r"--from=cronjob/(\S+)", "\n".join(lines)):
        manifest = yaml.safe_load((ROOT / "jobs" / "kubernetes" / "cronjob.yaml").read_text())
        assert manifest["metadata"]["name"] == name


def test_the_python_of_a_keras_model_runs(folder, tmp_path):
    page = ROOT / "docs" / "keras-model.md"
    here = tmp_path
    copy_made(folder, here)
    # TensorFlow needs a process of its own.
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks(page, "python"))], cwd=here, capture_output=True,
        text=True, timeout=600, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    for line in commands(page):
        if not line.startswith("pip ") and line != MADE:
            words = [sys.executable, "-m", *shlex.split(line)]
            run = subprocess.run(words, cwd=here, capture_output=True, text=True, check=False)
            assert run.returncode == 0, (line, run.stderr)
    assert "predicted_label" in (here / "answers.csv").read_text()


def test_yaml_is_yaml():
    yaml = pytest.importorskip("yaml")
    for page in PAGES:
        for text in blocks(page, "yaml"):
            assert yaml.safe_load(text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_block_is_indented_where_no_test_sees_it(page):
    outside = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert not re.search(r"\n\n    \S", outside)


@pytest.mark.parametrize("name", [*HOW_TOS, "spark.md", "ray.md", "dask.md", "keras-model.md"])
def test_a_how_to_begins_with_the_files_that_it_makes(name):
    told = [one for one in commands(ROOT / "docs" / name) if not one.startswith("pip ")]
    assert told[0] == MADE


def test_what_is_left_out_is_still_there():
    told = [line for page in PAGES for line in commands(page)]
    for beginning in ELSEWHERE:
        assert any(line.startswith(beginning) for line in told), beginning


def test_the_python_of_python_runs(folder, tmp_path):
    here = tmp_path
    copy_made(folder, here)
    shutil.copy(folder / "quick.toml", here)
    text = "\n".join(blocks(ROOT / "docs" / "python.md", "python"))
    quick = (
        "import functools, textbatch\n"
        # A network that has learned little would leave all to a linear model of characters.
        "textbatch.train = functools.partial(\n"
        "    textbatch.train, settings='quick.toml', blend='off', quick=True\n"
        ")\n"
    )
    # TensorFlow needs a process of its own.
    run = subprocess.run(
        [sys.executable, "-c", f"{quick}{text}"], cwd=here, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "68 cannot read no-such-file.csv" in run.stdout, run.stdout


def test_the_python_of_tables_runs(folder, monkeypatch):
    pytest.importorskip("duckdb")
    pytest.importorskip("polars")
    monkeypatch.chdir(folder)
    names: dict = {}
    shown = []
    for block in blocks(ROOT / "docs" / "tables.md", "python"):
        exec(block, names)
        shown.append(names["scored"])
    assert [type(one).__module__.partition(".")[0] for one in shown] == [
        "pandas",
        "polars",
        "pyarrow",
    ]
    for scored in shown:
        columns = list(getattr(scored, "column_names", None) or scored.columns)
        assert columns[-3:] == ["predicted_label", "confidence", "status"]


def test_the_python_of_calibrate_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec("\n".join(blocks(ROOT / "docs" / "calibrate.md", "python")), {})
    assert (tmp_path / "mended.csv").is_file()


def test_the_page_of_python_names_every_function():
    import textbatch

    page = (ROOT / "docs" / "python.md").read_text("utf-8")
    for name in set(textbatch.__all__) - {"__version__", "Model"}:
        assert f"textbatch.{name}" in page, name


def test_the_python_of_your_own_model_runs(folder, tmp_path):
    here = shutil.copytree(folder, tmp_path / "here")
    shutil.rmtree(here / "own-model")
    text = "\n".join(blocks(ROOT / "docs" / "own-model.md", "python"))
    # TensorFlow needs a process of its own.
    run = subprocess.run(
        [sys.executable, "-c", text], cwd=here, capture_output=True, text=True, timeout=600,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    words = [
        "score",
        "input.parquet",
        "own.parquet",
        "--model",
        "own-model",
        "--text-column",
        "body",
    ]
    run = subprocess.run(
        [sys.executable, "-m", "textbatch", *words], cwd=here, capture_output=True, check=False
    )
    assert run.returncode == 0, run.stderr
