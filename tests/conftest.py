"""Fixtures."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from unittest.mock import patch

import pytest
from hypothesis import settings
from support.bundles import random_bundle, random_texts, write_bundle, write_texts
from support.marks import mark, urgency
from support.training import labelled_file, quick_recipe, trained  # noqa: F401  fixtures

from textbatch.cli import console
from textbatch.cli.app import _run as run_app
from textbatch.cli.doctor import libraries
from textbatch.model.bundle.bundle import Bundle

# No deadline: a busy machine is no bug. The same examples every run: CI must not be a lottery.
settings.register_profile("textbatch", deadline=None, derandomize=True)
settings.load_profile("textbatch")

# As in `cli/entry.py`: thousands of tests hold many objects, which none of them leaves dead.
gc.set_threshold(100_000)

# A folder of real data sets, where the machine has one.
DATA = Path(os.environ.get("TEXTBATCH_DATA", Path(__file__).parents[2] / "shared" / "data"))


TRIED_IMPORTS = libraries.tried_imports

if "PYTEST_XDIST_WORKER" in os.environ:
    # One core for each worker, also to what it starts: threads and processes in each other's way
    # only cost time.
    _LIMITS = ("LOKY_MAX_CPU_COUNT", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    for _name in (*_LIMITS, "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(_name, "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # moto, flask and boto3 warn of things of their own.
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "storage" in item.path.parts or "store" in names or item.path.name == "test_docs_run.py":
            item.add_marker(pytest.mark.filterwarnings("default"))
        mark(item)
    items.sort(key=urgency)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs `textbatch` as `run_cli` does, but in this process: a start takes a second."""

    def run(*arguments: str | Path, **environment: str) -> CompletedProcess[str]:
        arguments = ("textbatch", *map(str, arguments))
        capsys.readouterr()
        variables = {"COLUMNS": "100", **environment}
        # The client of OpenLineage sets variables of its own: none may stay.
        with monkeypatch.context() as patched, patch.dict(os.environ, variables):
            patched.setattr(sys, "argv", list(arguments))
            patched.setattr(console, "_log_fields", None)  # an earlier run may have logged JSON
            if libraries.tried_imports is TRIED_IMPORTS:  # it takes seconds
                patched.setattr(libraries, "tried_imports", lambda names: dict.fromkeys(names, ""))
            code = run_app()
        return CompletedProcess(arguments, code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """A bundle with random weights."""
    return random_bundle()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, bundle: Bundle) -> Path:
    """That bundle on disk; tests must not change it."""
    return write_bundle(tmp_path_factory.mktemp("bundle") / "model", bundle)


@pytest.fixture(scope="session")
def texts() -> list[str | None]:
    """500 texts of all kinds."""
    return random_texts(500)


@pytest.fixture
def input_file(tmp_path: Path, texts: list[str | None]) -> Path:
    """Those texts as Parquet."""
    return write_texts(tmp_path / "input.parquet", texts)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data sets."""
    if not DATA.is_dir():
        pytest.skip(f"no folder of real data sets (set TEXTBATCH_DATA): {DATA.name}")
    return DATA


@pytest.fixture(scope="session")
def server() -> Iterator[object]:
    """An S3 server for all tests."""
    pytest.importorskip("moto")
    from support.object_store import Store

    started = Store()
    with patch.dict(os.environ, started.environment):
        started.open()
        yield started
        started.close()


@pytest.fixture
def store(server, tmp_path, monkeypatch):
    """The server with an empty bucket and without faults, and a cache of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    server.clear()
    yield server
    server.clear()
