"""What small jobs load before they answer: on them, imports are most of the time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

#: What libraries that are needed bring along, in one release or another.
BROUGHT = {"annotated_doc", "cloudpickle", "coloredlogs", "cython_runtime", "dateutil", "google"}
BROUGHT |= {"flatbuffers", "humanfriendly", "ml_dtypes", "packaging", "pygments", "shellingham"}
BROUGHT |= {"six", "typing_extensions"}
NEEDED = {"msgspec", "numpy", "onnx", "onnxruntime", "pyarrow", "rich", "safetensors", "textbatch"}
NEEDED |= {"typer"}
#: Parts of Python that take longer than most, and that no small job needs.
LARGE = {"asyncio", "http", "multiprocessing", "sqlite3", "unittest", "xml"}


def modules_of(*arguments: str | Path) -> set[str]:
    """The first parts of the names of all modules that a command has loaded when it ends."""
    code = (
        "import atexit, sys\n"
        "from textbatch.cli.entry import main\n"
        "def tell():\n"
        "    print('\\nloaded:', *{name.partition('.')[0] for name in list(sys.modules)})\n"
        "atexit.register(tell)\n"
        "main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return set(run.stdout.rpartition("loaded:")[2].split())


@pytest.mark.parametrize("command", ["predict", "score"])
def test_a_small_job_loads_what_it_needs_and_nothing_else(command, input_file, model, tmp_path):
    given = ["refund"] if command == "predict" else [input_file, tmp_path / "out.parquet"]
    loaded = modules_of(command, *given, "--model", model)
    from_outside = {name for name in loaded - sys.stdlib_module_names if name[0] != "_"}
    assert from_outside - BROUGHT == NEEDED
    assert not loaded & LARGE
