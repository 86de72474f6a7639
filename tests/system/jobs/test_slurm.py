"""The lines for Slurm and GNU parallel, as the page has them, beside a stand-in for `sbatch`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts

PAGE = Path(__file__).parents[3] / "docs" / "scaling.md"

#: Runs each task of the array in turn, with its number; then it tells the job's.
SBATCH = """#!/bin/sh
first=0 last=0 array=no
while [ $# -gt 0 ]; do
    case $1 in
    --array=*) range=${1#--array=} array=yes first=${range%-*} last=${range#*-} ;;
    --wrap) wrapped=$2; shift ;;
    --parsable | --kill-on-invalid-dep=yes | --dependency=afterok:17) ;;
    *) echo "no such option: $1" >&2; exit 1 ;;
    esac
    shift
done
for task in $(seq "$first" "$last"); do
    [ "$array" = no ] || export SLURM_ARRAY_TASK_ID="$task"
    sh -c "$wrapped" >&2 || exit 1
done
echo 17
"""


@pytest.fixture
def here(tmp_path, model, monkeypatch) -> Path:
    (tmp_path / "incoming").mkdir()
    for name in "ab":
        table = pa.table({"text": random_texts(20, seed=ord(name))})
        pq.write_table(table, tmp_path / "incoming" / f"{name}.parquet")
    shutil.copytree(model, tmp_path / "model")
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    scripts = {
        "sbatch": SBATCH,
        "textbatch": f'#!/bin/sh\nexec {sys.executable} -m textbatch "$@"\n',
    }
    for name, text in scripts.items():
        (bin_ / name).write_text(text)
        (bin_ / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(script: str) -> None:
    done = subprocess.run(
        ["sh", "-ec", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def assert_complete(output: Path) -> None:
    assert (output / "_SUCCESS").exists()
    assert sum(pq.read_metadata(part).num_rows for part in output.glob("*.parquet")) == 40


def test_an_array_of_slurm_scores_its_shares_and_the_second_job_completes_the_output(here):
    (block,) = re.findall(r"^```\n(job=\$\(sbatch .*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    assert "--array=0-99" in block
    run(block.replace("0-99", "0-1").replace("/100", "/2"))
    assert_complete(here / "scored")


def test_the_line_for_gnu_parallel_scores_all_shares(here):
    if not shutil.which("parallel"):
        pytest.skip("no GNU parallel")
    (line,) = re.findall(r"`(parallel .*?)`", PAGE.read_text("utf-8"))
    run(line.replace("seq 0 7", "seq 0 1").replace("/8", "/2") + "; textbatch finish scored/")
    assert_complete(here / "scored")
