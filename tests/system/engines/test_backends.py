"""`score --backend` on the real engines: the same bytes, whoever scores."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts
from support.engines import BEGIN, ENGINES, WHOLE, needs_engines, run_script

from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score

pytestmark = needs_engines

Plans = Iterable[tuple[int | None, int]]

#: `told` prints the bytes of all parts, and all rows whatever parts they are in, as hashes.
TOLD = """
import hashlib, pathlib
import pyarrow as pa, pyarrow.parquet as pq
def told(rows, output):
    parts = sorted(pathlib.Path(output).glob("*.parquet"))
    whole = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
    tables = [pq.read_table(part).replace_schema_metadata(None) for part in parts]
    table = pa.concat_tables(tables).combine_chunks()
    answers = hashlib.sha256(b"".join(map(pa.RecordBatch.serialize, table.to_batches())))
    return f"told {rows} {len(parts)} {table.num_rows} {whole} {answers.hexdigest()}"
"""
JOBS = """
import pathlib
from telling import told
from textbatch.errors import TooManyBadRowsError
from textbatch.report.listener import Listener
class Seen(Listener):
    begun, rows, shares = 0, 0, ()
    def begin(self, total_rows, *, step="scoring", unit="rows"):
        self.begun += 1
    def advance(self, rows, share=None):
        self.rows += rows
        self.shares = [*self.shares, share]
def main():
    given = {{"backend": "{engine}", "inputs": "in", "model": "model"}}
    {begin}
    from textbatch.scoring.config import ScoreConfig
    from textbatch.scoring.score import score
    for rows, jobs in {plans}:
        output = f"out-{{rows}}-{{jobs}}"
        config = ScoreConfig.given({{**given, "output": output, "jobs": jobs, "shard_rows": rows}})
        seen = Seen()
        score(config, run_id="0123456789abcdef", progress=seen)
        print(told(rows, output))
        # One bar for all workers, which never goes back, and ends where all is done.
        assert (seen.begun, seen.rows) == (1, {total}), (seen.begun, seen.rows)
        assert seen.shares == sorted(seen.shares) and seen.shares[-1] == 1, seen.shares
    # Two rows in two files are more than one in all.
    try:
        given |= {{"inputs": "bad", "output": "few", "jobs": 2}}
        score(ScoreConfig.given({{**given, "max_bad_rows": "1"}}))
    except TooManyBadRowsError as error:
        print("told", error.exit_code, pathlib.Path("few/_SUCCESS").exists())
if __name__ == "__main__":
    main()
"""
#: Processes of a scheduler: each scores its share, and `finish` completes the output.
SHARES = """
import subprocess, sys
from telling import told
for rows, shares in {plans}:
    output = f"out-{{rows}}-{{shares}}"
    flags = ["--model", "model", *(["--shard-rows", str(rows)] if rows else [])]
    command = [sys.executable, "-m", "textbatch", "score", "in", output, *flags]
    running = [
        subprocess.Popen([*command, "--shard", f"{{index}}/{{shares}}"]) for index in range(shares)
    ]
    assert not any([one.wait() for one in running])
    subprocess.run([sys.executable, "-m", "textbatch", "finish", output], check=True)
    print(told(rows, output))
"""
#: Files as they are, and cut into shards of about 50 and about 300 rows, with some workers each.
PLANS = (
    tuple((rows, jobs) for rows in (None, 50, 300) for jobs in (1, 2, 3))
    if WHOLE
    else ((None, 1), (None, 2), (None, 3), (50, 2))
)
LARGE = tuple((rows, jobs) for rows in (1_000, 20_000) for jobs in (1, 2, 3))


def write_inputs(folder: Path, rows: list[int], *, row_group: int) -> None:
    """Write the inputs of a job, two files of which each has a bad row, and what scripts import.

    Args:
        folder: Gets them, and where the job runs.
        rows: How many each file has.
        row_group: Rows of a row group.
    """
    (folder / "telling.py").write_text(TOLD)
    (folder / "in").mkdir()
    for number, count in enumerate(rows):
        table = pa.table({"text": random_texts(count, seed=number)})
        pq.write_table(table, folder / "in" / f"f{number}.parquet", row_group_size=row_group)
    (folder / "bad").mkdir()
    for number in range(2):
        texts = pa.array([b"refund", b"caf\xe9"], pa.binary())
        pq.write_table(pa.table({"text": texts}), folder / "bad" / f"f{number}.parquet")


def expected_of(folder: Path, model: Path, plans: Plans) -> set[str]:
    """What is told of the same in this process, without workers.

    Args:
        folder: Where the inputs are.
        model: The model.
        plans: Rows of a shard, and how many workers.
    """
    names: dict[str, object] = {}
    exec(TOLD, names)
    told = set()
    for rows in {rows for rows, _ in plans}:
        output = folder / f"here-{rows}"
        values = {"inputs": folder / "in", "output": output, "model": model, "shard_rows": rows}
        score(ScoreConfig.given(values), run_id="0123456789abcdef")
        told.add(names["told"](rows, output))
        shutil.rmtree(output)
    # Whatever the plan, the rows are the same ones in the same order.
    assert len({line.split()[-1] for line in told}) == 1
    return told


@pytest.mark.parametrize("engine", ["local", *ENGINES])
def test_one_sha256_on_every_engine_with_any_number_of_workers(engine, model, tmp_path):
    write_inputs(tmp_path, [200] * 5, row_group=40)
    shutil.copytree(model, tmp_path / "model")
    script = JOBS.format(engine=engine, begin=BEGIN[engine], plans=PLANS, total=1000)
    told = run_script(tmp_path, script)
    assert set(told) == {"told 67 False"} | expected_of(tmp_path, model, PLANS)


@pytest.mark.skipif(not WHOLE, reason="takes minutes (ENGINES=all)")
@pytest.mark.parametrize("engine", ["shares", "local", *ENGINES])
def test_one_sha256_with_shards_of_thousands_of_rows(engine, model, tmp_path):
    """Large files are cut, and small ones are packed together."""
    rows = [45_500, 300, 21_000, 200, 400]
    write_inputs(tmp_path, rows, row_group=500)
    shutil.copytree(model, tmp_path / "model")
    if engine == "shares":
        script, more = SHARES.format(plans=LARGE), set()
    else:
        given = {"engine": engine, "begin": BEGIN[engine], "plans": LARGE, "total": sum(rows)}
        script, more = JOBS.format(**given), {"told 67 False"}
    told = run_script(tmp_path, script, seconds=900)
    assert len(told) == len(LARGE) + len(more)
    assert set(told) == more | expected_of(tmp_path, model, LARGE)
