"""How long a plan of shards takes, and what a shard of ten rows costs, in time and memory.

`python -m benchmarks.shards`: synthetic footers of a billion rows, the footers of real files, then
jobs of 1,000 and 10,000 shards of ten rows. What one shard takes has the start-up taken off: it is
the difference to a job of one shard.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import data, models
from textbatch.data.readers.listing import ListedFile, Listing, list_inputs
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.files import FileState
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.folder.shards import Footer, Group, name_shards, planned

_SHARD_ROWS, _GROUP_ROWS, _GROUPS = 20_000, 10_000, 10
_KEY = "0" * 64
_SMALL_ROWS = 10


def synthetic(rows: int) -> Iterator[tuple[ListedFile, Footer]]:
    """Files of ten row groups of 10,000 rows, without files.

    Args:
        rows: Rows of all of them.
    """
    groups = tuple(
        Group(_GROUP_ROWS, 4 + 10**6 * number, 4 + 10**6 * (number + 1))
        for number in range(_GROUPS)
    )
    found = FileState(size=10**7, modified=1, tag="")
    for number in range(rows // (_GROUP_ROWS * _GROUPS)):
        name = f"{number:09d}.parquet"
        yield ListedFile(file=new_input(Path(name)), name=name, found=found), Footer("k", groups)


def small_files(folder: Path, count: int) -> None:
    """Write files of ten rows each.

    Args:
        folder: Where.
        count: How many.
    """
    table = pa.table({"id": list(range(10)), "text": ["refund my card"] * 10})
    for number in range(count):
        pq.write_table(table, folder / f"{number:06d}.parquet")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a job took.

    Attributes:
        seconds: Wall time of its process.
        cpu_seconds: CPU time, system time included.
        peak_mib: Its largest memory.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float


def score_shards(source: Path, output: Path, model: Path) -> Cost:
    """Score a folder in shards of ten rows, in a process with one thread.

    Args:
        source: The folder.
        output: The folder of its parts.
        model: The bundle.

    Raises:
        SystemExit: It failed; it has told why on stderr.
    """
    command = [sys.executable, "-m", "textbatch", "score", source, output, "--model", model]
    flags = ["--text-column", "text", "--shard-rows", _SMALL_ROWS, "--threads", 1]
    begun = time.perf_counter()
    process = subprocess.Popen([*map(str, [*command, *flags])], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def small_shards(folder: Path, shards: int, dataset: str) -> Path:
    """Write a folder with one file of row groups of ten rows.

    Args:
        folder: Where it goes.
        shards: How many row groups.
        dataset: Where the texts are from.
    """
    (made := folder / f"of-{shards}").mkdir()
    whole = folder / "whole.parquet"
    data.write_texts(dataset, whole, shards * _SMALL_ROWS)
    pq.write_table(pq.read_table(whole), made / "rows.parquet", row_group_size=_SMALL_ROWS)
    return made


def main() -> None:
    """Measure all, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10**9)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--shards", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--dataset", choices=data.available(), default=data.available()[0])
    parser.add_argument("--model", type=Path, help="bundle to measure with [trains one]")
    given = parser.parse_args()
    print("| plan | time | peak memory |\n|---|---|---|")
    begun = time.perf_counter()
    shards = name_shards(synthetic(given.rows), rows=_SHARD_ROWS, key=_KEY)
    _print(f"plan of {given.rows:,} rows, {len(shards):,} shards", begun)
    del shards
    with tempfile.TemporaryDirectory() as folder:
        small_files(Path(folder), given.files)
        values = {"inputs": folder, "output": "out", "shard_rows": _SHARD_ROWS}
        begun = time.perf_counter()
        listing: Listing = list_inputs([Path(folder)], "auto")
        done = planned(listing, ScoreConfig.given(values), _KEY)
        _print(f"footers of {given.files:,} real files, {len(done.files):,} shards", begun)
    print(f"\n| shards of {_SMALL_ROWS} rows | ms a shard | CPU ms a shard | peak memory |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = given.model or models.trained(folder)
        first = score_shards(small_shards(folder, 1, given.dataset), folder / "first", model)
        for shards in given.shards:
            source = small_shards(folder, shards, given.dataset)
            cost = score_shards(source, folder / f"out-{shards}", model)
            each = (cost.seconds - first.seconds) / (shards - 1) * 1000
            cpu = (cost.cpu_seconds - first.cpu_seconds) / (shards - 1) * 1000
            print(f"| {shards:,} | {each:.1f} | {cpu:.1f} | {cost.peak_mib:,.0f} MiB |")
        print(f"\nStart-up: {first.seconds:.1f} s. Texts: {given.dataset}.")


def _print(what: str, begun: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {what} | {time.perf_counter() - begun:.1f} s | {peak:,.0f} MiB |")


if __name__ == "__main__":
    main()
