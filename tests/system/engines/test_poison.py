"""A shard that kills whoever scores it: it fails alone, and is named."""

from __future__ import annotations

import os
import re

import pytest
from support.bundles import write_texts
from support.engines import engines, needs_engines, start

from textbatch import score

pytestmark = needs_engines

#: In every worker: whoever takes the lock of the poisonous file's part is killed.
POISON = """
import os, sys
def watch(event, given):
    mine = event == "open" and ".poison.parquet.textbatch/lock" in str(given[0])
    if mine and given[2] & os.O_RDWR:
        os.kill(os.getpid(), 9)
sys.addaudithook(watch)
"""


@pytest.mark.parametrize("engine", [*engines("dask"), *(("local",) if engines() else ())])
def test_a_poisonous_file_fails_alone_and_is_named(engine, model, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("poison", *(f"f{number:02}" for number in range(49))):
        write_texts(tmp_path / "in" / f"{name}.parquet", ["refund the card"] * 3)
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(POISON)
    path = os.pathsep.join([str(tmp_path / "hook"), os.environ.get("PYTHONPATH", "")])
    output = tmp_path / "out"
    with start(tmp_path / "in", output, model, engine, PYTHONPATH=path) as process:
        _, err = process.communicate(timeout=300)
    assert process.returncode == 71, err[-3000:]
    assert re.search(r"in/poison\.parquet died (again and again|\d times)", err), err[-3000:]
    assert sorted(part.name for part in output.glob("*.parquet")) == [
        f"f{number:02}.parquet" for number in range(49)
    ]
    assert not (output / "_SUCCESS").exists()
    (tmp_path / "in" / "poison.parquet").unlink()
    report = score(tmp_path / "in", output, model=model)
    assert report.rows_out == 49 * 3
    assert report.files["scored"] == 0
