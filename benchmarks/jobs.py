"""`python -m benchmarks.jobs`: one file in one process, and shared by several, in turns."""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq

from benchmarks import data, models, table
from benchmarks.measure import log


@dataclass(slots=True, kw_only=True)
class Way:
    """One way to score the file.

    Attributes:
        title: Its name in the table.
        flags: Of `score`.
        seconds: Wall time of each run, from start to end of the process.
        cpu_seconds: CPU time of each run, of all its processes together, system time included.
        answers: A hash of what it answered.
    """

    title: str
    flags: tuple[str, ...]
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    answers: str = ""


def main() -> None:
    """Score the same file in each way, another one first each time."""
    options = _options()
    two = str(options.jobs)
    ways = [
        Way(title="1 process, 1 thread", flags=("--threads", "1")),
        Way(title=f"1 process, {two} threads", flags=("--threads", two)),
        Way(title=f"--jobs {two}, 1 thread each", flags=("--jobs", two, "--threads", "1")),
    ]
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = options.model or models.trained(folder)
        source = folder / "texts.parquet"
        data.write_texts(options.dataset, source, options.rows)
        if options.files > 1:
            source = _cut(source, folder / "files", options.files)
        for index in range(options.rounds):
            first = index % len(ways)
            for way in ways[first:] + ways[:first]:
                run(way, source, folder / "scored", model)
            log(f"round {index + 1} of {options.rounds} done")
    if len({way.answers for way in ways}) > 1:
        raise SystemExit("the answers differ")
    headers = ["way", "seconds", "CPU seconds", "× the first", "× the second", "CPU × the second"]
    print(table.markdown(headers, [_cells(way, ways) for way in ways]))
    print(f"\n{options.rows:,} rows, whole processes, medians of {options.rounds}.")
    print(table.caption())


def run(way: Way, source: Path, output: Path, model: Path) -> None:
    """Score once, and note what it took.

    Raises:
        SystemExit: It failed; it has told why on stderr.
    """
    output = output if source.is_dir() else output.with_suffix(".parquet")
    command = [sys.executable, "-m", "textbatch", "score", str(source), str(output)]
    command += ["--model", str(model), "--text-column", "text", "--overwrite", *way.flags]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    way.seconds.append(time.perf_counter() - started)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.returncode)
    way.cpu_seconds.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    way.answers = _hash_of(output)


def _hash_of(output: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(output.glob("*.parquet")) if output.is_dir() else [output]:
        # The footer names the run.
        for batch in pq.read_table(path).replace_schema_metadata(None).to_batches():
            digest.update(batch.serialize())
    return digest.hexdigest()


def _cut(source: Path, folder: Path, files: int) -> Path:
    folder.mkdir()
    rows = pq.read_table(source)
    step = -(-len(rows) // files)
    for number in range(files):
        pq.write_table(rows.slice(number * step, step), folder / f"{number:03d}.parquet")
    return folder


def _cells(way: Way, ways: Sequence[Way]) -> list[str]:
    seconds, cpu_seconds = median(way.seconds), median(way.cpu_seconds)
    cells = [way.title, f"{seconds:,.1f}", f"{cpu_seconds:,.1f}"]
    cells += [f"{median(other.seconds) / seconds:.2f}" for other in ways[:2]]
    return [*cells, f"{cpu_seconds / median(ways[1].cpu_seconds):.2f}"]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.jobs", description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000, help="[%(default)s]")
    parser.add_argument("--rounds", type=int, default=3, help="[%(default)s]")
    parser.add_argument(
        "--jobs", type=int, default=len(os.sched_getaffinity(0)), help="[the cores]"
    )
    parser.add_argument("--files", type=int, default=1, help="cut the file, for a folder job")
    parser.add_argument("--dataset", choices=data.available(), default=data.available()[0])
    parser.add_argument("--model", type=Path, help="bundle to measure with [trains one]")
    return parser.parse_args()


if __name__ == "__main__":
    main()
