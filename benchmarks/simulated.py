"""`python -m benchmarks.simulated`: real jobs of two workers here, beside the simulation of them.

What a row, a start and a shard cost is measured first, in the same run, on one worker. Then the
same texts are scored by two, and `benchmarks.cluster` says what that should take.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import models, table, terms
from benchmarks.cluster import Costs, Job, Result, simulate
from benchmarks.measure import log
from benchmarks.page import put_tables

_WORDS, _WORKERS = 40, 2


def main() -> None:
    """Measure the costs, run the jobs, and print them beside what was simulated."""
    options = _options()
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = options.model or models.trained(folder)
        found = terms.of_shards(model, folder, 1)
        rate = terms.rate_of(_WORDS, model, folder, options.rows)
        lines = []
        for shard_rows in options.shard_rows:
            source = folder / f"in-{shard_rows}"
            source.mkdir()
            rows = pa.table({"text": terms.texts(_WORDS, options.rows)})
            pq.write_table(rows, source / "a.parquet", row_group_size=shard_rows)
            for shared in (False, True):
                log(f"shards of {shard_rows:,} rows, {'shares' if shared else 'jobs'}")
                output = folder / f"out-{shard_rows}-{shared}"
                seconds, cpu = run(source, output, model, shard_rows, shared=shared)
                job = Job(
                    rows=options.rows,
                    shard_rows=shard_rows,
                    machines=_WORKERS if shared else 1,
                    cores=1 if shared else _WORKERS,
                    shared=shared,
                )
                shards = -(-options.rows // shard_rows)
                costs = costs_of(found, rate, shards, shared=shared)
                simulated = simulate(job, costs)
                lines.append(_cells(job, costs, simulated, seconds, cpu))
    headings = [
        "rows a shard", "way", "seconds", "simulated", "error", "CPU seconds", "simulated", "error",
    ]  # fmt: skip
    made = table.markdown(headings, lines)
    if options.page:
        put_tables(options.page, {"simulated": made})
    print(made)
    print(f"\n{options.rows:,} rows of {_WORDS} words, two workers. {table.caption()}")


def costs_of(found: dict[str, float], rate: float, shards: int, *, shared: bool) -> Costs:
    """What things cost on this machine; a process with a share of its own has no workers.

    Args:
        found: By `terms.of_shards`.
        rate: Rows a second of one core.
        shards: How many there are.
        shared: Whether by shares.
    """
    return Costs(
        row=1 / rate,
        start=found["start_seconds"],
        worker_start=0.0 if shared else found["worker_start_seconds"],
        shard=found["shard_seconds" if shared else "worker_seconds"],
        driver=0.0 if shared else found["driver_seconds"],
        finish=found["start_seconds"] + shards * found["finish_seconds"] if shared else 0.0,
    )


def run(
    source: Path, output: Path, model: Path, shard_rows: int, *, shared: bool
) -> tuple[float, float]:
    """Score once with two workers; wall seconds, and CPU seconds of all processes together.

    Raises:
        SystemExit: It failed; it has told why on stderr.
    """
    command = [sys.executable, "-m", "textbatch", "score", source, output, "--model", model]
    command += ["--text-column", "text", "--threads", 1, "--shard-rows", shard_rows]
    ways = [("--shard", f"{n}/{_WORKERS}") for n in range(_WORKERS)]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    running = [
        subprocess.Popen([*map(str, command), *map(str, way)], stdout=subprocess.DEVNULL)
        for way in (ways if shared else [("--jobs", _WORKERS)])
    ]
    codes = [one.wait() for one in running]
    if shared and not any(codes):
        words = [sys.executable, "-m", "textbatch", "finish", str(output)]
        codes.append(subprocess.run(words, stdout=subprocess.DEVNULL, check=False).returncode)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if any(codes):
        raise SystemExit(max(codes))
    return seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _cells(job: Job, costs: Costs, simulated: Result, seconds: float, cpu: float) -> list[str]:
    starts = _WORKERS * costs.start if job.shared else costs.start + _WORKERS * costs.worker_start
    work = starts + job.rows * costs.row + costs.finish
    work += len(simulated.done) * (costs.shard + costs.driver)
    return [
        f"{job.shard_rows:,}",
        "`--shard`, two processes" if job.shared else "`--jobs 2`",
        f"{seconds:,.1f}",
        f"{simulated.seconds:,.1f}",
        f"{simulated.seconds / seconds - 1:+.0%}",
        f"{cpu:,.1f}",
        f"{work:,.1f}",
        f"{work / cpu - 1:+.0%}",
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.simulated", description=__doc__)
    parser.add_argument("--rows", type=int, default=40_000, help="[%(default)s]")
    parser.add_argument("--shard-rows", type=int, nargs="+", default=[500, 4_000])
    parser.add_argument("--model", type=Path, help="bundle to measure with [trains one]")
    parser.add_argument(
        "--page", type=Path, help="put the table between the marks of this page too"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
