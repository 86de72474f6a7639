"""The house's rules about who may import whom; docs/architecture.md draws them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "textbatch"
FILES = sorted(SOURCE.rglob("*.py"))

# A room may import itself and the rooms below it.
LEVELS = {
    "cli": 6,
    "api": 5,
    "demo": 5,
    "loaded": 5,
    "training": 4,
    "adopting": 4,
    "saving": 4,
    "augmenting": 4,
    "trials": 4,
    "self_training": 4,
    "finishing": 4,
    "baselines": 4,
    "lexicon": 4,
    "vectorizing": 4,
    "scoring": 4,
    "planning": 4,
    "folders": 4,
    "folder_job": 4,
    "folder_plan": 4,
    "preflight": 4,
    "staging": 4,
    "verification": 4,
    "inspection": 4,
    "partition": 4,
    "similarity": 3,
    "evaluation": 4,
    "picturing": 4,
    "folds": 4,
    "resuming": 4,
    "learning": 4,
    "network_fit": 4,
    "tuning": 5,
    "auditing": 5,
    "integrations": 4,
    "report": 3,
    "data": 2,
    "model": 2,
    "text": 1,
    "quality": 1,
    "config": 0,
    "batch": 0,
    "errors": 0,
    "failpoints": 0,
    "limits": 0,
    "locations": 0,
    "__init__": 0,
}
# Rooms on one level that may know each other; the paths are read in this order.
SIDEWAYS = {
    ("api", "loaded"),
    ("training", "partition"),
    ("training", "augmenting"),
    ("training", "trials"),
    ("learning", "augmenting"),
    ("learning", "network_fit"),
    ("network_fit", "augmenting"),
    ("network_fit", "evaluation"),
    ("network_fit", "partition"),
    ("training", "finishing"),
    ("training", "baselines"),
    ("training", "self_training"),
    ("self_training", "baselines"),
    ("self_training", "evaluation"),
    ("self_training", "finishing"),
    ("self_training", "partition"),
    ("self_training", "trials"),
    ("training", "learning"),
    ("learning", "evaluation"),
    ("learning", "lexicon"),
    ("learning", "partition"),
    ("training", "saving"),
    ("adopting", "finishing"),
    ("adopting", "partition"),
    ("adopting", "saving"),
    ("saving", "finishing"),
    ("saving", "partition"),
    ("saving", "picturing"),
    ("evaluation", "picturing"),
    ("training", "folds"),
    ("training", "resuming"),
    ("folds", "evaluation"),
    ("folds", "finishing"),
    ("folds", "partition"),
    ("resuming", "partition"),
    ("finishing", "evaluation"),
    ("finishing", "baselines"),
    ("baselines", "evaluation"),
    ("baselines", "partition"),
    ("finishing", "partition"),
    ("partition", "evaluation"),
    ("scoring", "planning"),
    ("scoring", "folders"),
    ("folders", "folder_job"),
    ("folders", "folder_plan"),
    ("folder_plan", "folder_job"),
    ("folders", "planning"),
    ("scoring", "staging"),
    ("staging", "planning"),
    ("staging", "folders"),
    ("staging", "folder_plan"),
    ("folders", "preflight"),
    ("preflight", "planning"),
    ("verification", "inspection"),
    ("verification", "planning"),
    ("inspection", "planning"),
    ("inspection", "folder_job"),
    ("config", "errors"),
    ("config", "limits"),
    ("config", "locations"),
    ("limits", "errors"),
    ("failpoints", "errors"),
}

OWNERS = {
    "boto3": {"data"},
    "botocore": {"data"},
    "fsspec": {"data"},
    "pandas": {"data", "loaded"},
    "pyarrow.fs": {"data"},
    "pyarrow.parquet": {"data"},
    "pyarrow.json": {"data"},
    "csv": {"data"},
    "gensim": {"model"},
    "keras": {"model", "network_fit", "adopting", "api"},
    "tensorflow": {"model"},
    "onnx": {"model"},
    "onnxruntime": {"model"},
    "safetensors": {"model"},
    "sklearn": {"quality"},
    "scipy": {"quality"},
    "matplotlib": {"report"},
    "jinja2": {"report"},
    "markupsafe": {"report"},
    "optuna": {"tuning"},
    "cleanlab": {"auditing"},
    "rich": {"report", "cli", "demo"},
    "typer": {"cli"},
    "prometheus_client": {"integrations"},
    "openlineage": {"integrations"},
    "airflow": {"integrations"},
    "subprocess": {"integrations"},
}
NEVER = {"pickle", "dill", "marshal", "shelve", "yaml", "socket"}


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


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
def test_imports_point_down(path):
    room = room_of(path)
    if room in ("__init__", "__main__"):
        return
    for name in imports_of(path):
        if not name.startswith("textbatch."):
            continue
        other = name.split(".")[1]
        other = other if other in LEVELS else "__init__"
        allowed = other == room or LEVELS[other] < LEVELS[room] or (room, other) in SIDEWAYS
        assert allowed, f"{room} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_foreign_libraries_have_one_home(path):
    for name in imports_of(path):
        for library, rooms in OWNERS.items():
            if name == library or name.startswith(f"{library}."):
                assert room_of(path) in rooms, f"{path}: imports {name}"
        assert name.split(".")[0] not in NEVER, f"{path}: imports {name}"


def test_only_the_command_line_exits_or_prints():
    for path in FILES:
        names = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not names & {"print", "exit", "quit", "eval", "exec"}, path
        if room_of(path) != "cli":
            assert "sys.exit" not in path.read_text(), path


def test_files_stay_short():
    long = {path: len(path.read_text().splitlines()) for path in FILES}
    assert not {path: lines for path, lines in long.items() if lines > 300}
    ordered = sorted(long.values())
    assert ordered[len(ordered) // 2] <= 120
