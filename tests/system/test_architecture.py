"""The house's rules about foreign libraries and files; import-linter checks the rooms."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "textbatch"
FILES = sorted(SOURCE.rglob("*.py"))

# The room, or the sub-room, that may import a library.
OWNERS = {
    "awscrt": {"data.storage"},
    "azure": {"data.storage"},
    "boto3": {"data.storage"},
    "botocore": {"data.storage"},
    "deltalake": {"data.readers"},
    "fsspec": {"data.storage"},
    "google": {"data.storage"},
    "google_crc32c": {"data.storage"},
    "joblib": {"model.engines", "scoring.backends", "training"},
    "pandas": {"data.output", "data.readers", "integrations.dask", "scoring.in_memory"},
    "pyarrow.fs": {"data.storage"},
    "pyarrow.parquet": {"data"},
    "pyarrow.json": {"data.readers"},
    "csv": {"data"},
    "msgspec": {"data", "model.bundle", "model.quality"},
    "gensim": {"model.vectors"},
    "h5py": {"model.keras_files"},
    "keras": {"model", "training.fit", "training.from_keras", "training.import_keras"},
    "tensorflow": {"model"},
    "onnx": {"model"},
    "onnxruntime": {"model.engines"},
    "safetensors": {"model"},
    "sklearn": {"model.linear", "model.quality", "training.fit", "training.split"},
    "threadpoolctl": {"model.linear"},
    "scipy": {"model.linear", "model.quality", "training.split"},
    "matplotlib": {"report.html"},
    "jinja2": {"report.html"},
    "markupsafe": {"report.html"},
    "optuna": {"training.tune"},
    "cleanlab": {"training.audit"},
    "rich": {"report.terminal", "cli"},
    "typer": {"cli"},
    "prometheus_client": {"integrations"},
    "openlineage": {"integrations"},
    "airflow": {"integrations"},
    "dask": {"integrations", "scoring.backends"},
    "distributed": {"integrations", "scoring.backends"},
    "pyspark": {"integrations", "scoring.backends"},
    "ray": {"integrations", "scoring.backends"},
    "subprocess": {"cli.doctor", "integrations"},
    "urllib.request": {"data.storage.download"},
}
# Plain writes are for copies in a temporary folder. An output is written by `atomic_file` and what
# is built on it, all in `data/storage`.
SCRATCH = {"training.fold_progress", "data.readers.delta_table", "model.vectors.corpus"}
# Packages that are read as data are never imported: their code would run.
NEVER = {
    "spellchecker",
    "tokenizers",
    "wordllama",
    "pickle",
    "dill",
    "marshal",
    "shelve",
    "yaml",
    "socket",
}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts)


def inside(module: str, rooms: set[str]) -> bool:
    return any(f"{module}.".startswith(f"{room}.") for room in rooms)


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_foreign_libraries_have_one_home(path):
    for name in imports_of(path):
        for library, rooms in OWNERS.items():
            if name == library or name.startswith(f"{library}."):
                assert inside(module_of(path), rooms), f"{path}: imports {name}"
        assert name.split(".")[0] not in NEVER, f"{path}: imports {name}"


def test_only_the_command_line_exits_or_prints():
    for path in FILES:
        names = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not names & {"print", "exit", "quit", "eval", "exec"}, path
        if not inside(module_of(path), {"cli"}):
            assert "sys.exit" not in path.read_text(), path


def test_only_the_storage_room_asks_where_a_file_stands():
    """Everybody else has an InputFile or an OutputFile, whose methods know."""
    for path in FILES:
        if not inside(module_of(path), {"data.storage"}):
            assert "RemotePath" not in path.read_text(), path


def test_no_output_is_written_in_place():
    """A reader would see half a file, and a failure would leave one."""
    found = {
        module_of(path): lines
        for path in FILES
        if (lines := [call.lineno for call in calls_in(path.read_text()) if writes(call)])
    }
    elsewhere = {name for name in found if not inside(name, {"data.storage"})}
    assert elsewhere == SCRATCH, found


@pytest.mark.parametrize(
    ("call", "written"),
    [
        ("path.write_text(text)", True),
        ("path.write_bytes(data)", True),
        ("path.open('wb')", True),
        ("path.open(mode='r+b')", True),
        ("open(path, 'x')", True),
        ("open(path, mode='a')", True),
        ("path.open('rb')", False),
        ("path.open()", False),
        ("open(path)", False),
        ("open(write, 'rb')", False),
    ],
)
def test_a_plain_write_is_seen(call, written):
    assert [writes(one) for one in calls_in(call)] == [written]


def calls_in(source: str) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]


def writes(call: ast.Call) -> bool:
    """Whether a call opens a file, not a stream that is open, to write to it in place."""
    if call.args and isinstance(getattr(call.args[0], "value", None), int):
        return False
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    modes = [*call.args, *(given.value for given in call.keywords if given.arg == "mode")]
    opened = any(
        isinstance(mode, ast.Constant) and set("wax+") & set(str(mode.value)) for mode in modes
    )
    return name in {"write_text", "write_bytes"} or (name == "open" and opened)


def test_the_top_of_the_package_stays_empty():
    """Whoever adds a capability adds it to a room."""
    modules = {path.stem for path in SOURCE.glob("*.py")}
    values = {"errors", "failpoints", "types"}
    # Names for callers, without code: `textbatch.spark.score`.
    names = {"dask", "ray", "spark"}
    assert modules == {"__init__", "__main__", *values, *names}


def test_files_stay_short():
    long = {path: len(path.read_text().splitlines()) for path in FILES}
    assert not {path: lines for path, lines in long.items() if lines > 300}
    ordered = sorted(long.values())
    assert ordered[len(ordered) // 2] <= 120


#: The functions of the public API: an editor shows each of their parameters.
PUBLIC = {
    *(
        "scoring.api",
        "scoring.compare_api",
        "scoring.evaluate_api",
        "scoring.in_memory",
        "scoring.model_api",
        *("scoring.evaluate_api", "scoring.scorer"),
    ),
    *("training.api", "training.from_keras", "training.search_api"),
    *("integrations.dask", "integrations.ray", "integrations.spark"),
}


def test_functions_take_few_parameters():
    """More than eight belong into a value that travels."""
    many = {
        f"{module_of(path)}.{node.name}"
        for path in FILES
        if module_of(path) not in PUBLIC
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and taken_by(node) > 8
    }
    assert not many


def taken_by(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    given = function.args
    named = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    return len([one for one in named if one and one.arg not in ("self", "cls")])


def test_every_foreign_library_has_a_home():
    """A new one is added to the list of owners, or to those that every room may import."""
    everywhere = {"numpy", "pyarrow", "joblib", "textbatch", *sys.stdlib_module_names}
    # For types, or only where a caller has them.
    beside = {"_typeshed", "typing_extensions", "torch", "polars"}
    owned = {name.split(".")[0] for name in OWNERS}
    for path in FILES:
        roots = {name.split(".")[0] for name in imports_of(path)}
        assert roots <= everywhere | beside | owned, path
