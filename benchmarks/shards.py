"""How long a plan of shards takes, and how much memory: a billion rows, and many small files.

`python -m benchmarks.shards`: synthetic footers of a billion rows, then the footers of real files.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.data.readers.listing import ListedFile, Listing, list_inputs
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.files import FileState
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.folder.shards import Footer, Group, name_shards, planned

_SHARD_ROWS, _GROUP_ROWS, _GROUPS = 20_000, 10_000, 10
_KEY = "0" * 64


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


def main() -> None:
    """Measure both, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10**9)
    parser.add_argument("--files", type=int, default=10_000)
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


def _print(what: str, begun: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {what} | {time.perf_counter() - begun:.1f} s | {peak:,.0f} MiB |")


if __name__ == "__main__":
    main()
