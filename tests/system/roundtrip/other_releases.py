"""Spark and older releases of Arrow, each in an environment of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT, HERE = Path(__file__).parents[3], Path(__file__).parent


def _python(variable: str, folder: str) -> Path | None:
    path = Path(os.environ.get(variable, ROOT / folder)) / "bin" / "python"
    return path if path.exists() else None


SPARK = _python("SPARK_VENV", ".venv-spark")
ARROWS = sorted(Path(os.environ.get("ARROW_VENVS", ROOT / ".venv-arrow")).glob("*/bin/python"))


def arrow_file(python: Path, path: Path) -> Path:
    """Write a file with another release of Arrow."""
    subprocess.run([python, HERE / "arrow_file.py", path], check=True, timeout=120)
    return path


def run_spark(*arguments: str | Path) -> None:
    """Run what needs Spark, which takes half a minute to start."""
    command = [str(SPARK), str(HERE / "spark_job.py"), *map(str, arguments)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert found.returncode == 0, found.stderr[-3000:]


def spark_files(folder: Path) -> dict[str, Path]:
    """Files that Spark writes: of both versions of Parquet, with INT96, and of an old calendar."""
    run_spark("write", folder)
    return {f"spark {one.name}": next(one.glob("*.parquet")) for one in sorted(folder.iterdir())}
