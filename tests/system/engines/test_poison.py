"""A file or a shard that kills whoever scores it: it fails alone and by name; the rest is there."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts, write_texts
from support.engines import WHOLE, engines, needs_engines, start

from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

pytestmark = needs_engines

#: In every worker: whoever takes the lock of the poisonous part is killed.
POISON = """
import os, sys
lock = "." + os.environ["POISONOUS"] + ".textbatch/lock"
def watch(event, given):
    if event == "open" and lock in str(given[0]) and given[2] & os.O_RDWR:
        os.kill(os.getpid(), 9)
sys.addaudithook(watch)
"""


def poisoned(folder: Path, model: Path, engine: str, part: str, *flags: str) -> str:
    """Run a job whose workers die with a part, and return what it tells.

    Args:
        folder: Where `in` is and `out` is made.
        model: The model.
        engine: The backend.
        part: The poisonous part.
        *flags: More options.
    """
    (folder / "hook").mkdir()
    (folder / "hook" / "sitecustomize.py").write_text(POISON)
    path = os.pathsep.join([str(folder / "hook"), os.environ.get("PYTHONPATH", "")])
    variables = {"PYTHONPATH": path, "POISONOUS": part}
    with start(folder / "in", folder / "out", model, engine, *flags, **variables) as process:
        _, err = process.communicate(timeout=300)
    assert process.returncode == 71, err[-3000:]
    assert not (folder / "out" / "_SUCCESS").exists()
    return err


def moments(output: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in output.glob("*.parquet")}


@pytest.mark.skipif(not WHOLE, reason="takes minutes (ENGINES=all)")
@pytest.mark.parametrize("engine", ["local", *engines()])
def test_a_poisonous_file_fails_alone_and_is_named(engine, model, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("poison", *(f"f{number:02}" for number in range(49))):
        write_texts(tmp_path / "in" / f"{name}.parquet", ["refund the card"] * 3)
    err = poisoned(tmp_path, model, engine, "poison.parquet")
    assert re.search(r"in/poison\.parquet died (again and again|\d times)", err), err[-3000:]
    before = moments(tmp_path / "out")
    assert sorted(before) == [f"f{number:02}.parquet" for number in range(49)], err[-3000:]
    (tmp_path / "in" / "poison.parquet").unlink()
    values = {"inputs": tmp_path / "in", "output": tmp_path / "out", "model": model}
    report = score(ScoreConfig.given(values))
    assert report.rows_out == 49 * 3
    assert report.files["scored"] == 0
    assert moments(tmp_path / "out") == before


@pytest.mark.parametrize("engine", [*engines("dask"), *(("local",) if WHOLE else ())])
def test_a_poisonous_shard_fails_alone_and_is_named(engine, model, tmp_path):
    """One file in 50 shards of four rows, of which the 18th is poisonous."""
    (tmp_path / "in").mkdir()
    table = pa.table({"text": random_texts(200, seed=3)})
    pq.write_table(table, tmp_path / "in" / "all.parquet", row_group_size=4)
    values = {"inputs": tmp_path / "in", "model": model, "shard_rows": 4}
    score(ScoreConfig.given({**values, "output": tmp_path / "whole"}))
    parts = sorted(moments(tmp_path / "whole"))
    assert len(parts) == 50
    err = poisoned(tmp_path, model, engine, parts[17], "--shard-rows", "4")
    named = r"in/all\.parquet\[17:18\] died (again and again|\d times)"
    assert re.search(named, err), err[-3000:]
    before = moments(tmp_path / "out")
    assert sorted(before) == parts[:17] + parts[18:], err[-3000:]
    report = score(ScoreConfig.given({**values, "output": tmp_path / "out"}))
    assert (report.rows_out, report.files["scored"]) == (200, 1)
    after = moments(tmp_path / "out")
    assert before.items() <= after.items()
    for part in parts:
        assert (tmp_path / "out" / part).read_bytes() == (tmp_path / "whole" / part).read_bytes()
