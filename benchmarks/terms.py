"""`python -m benchmarks.terms`: what a row, a start, a shard and a part cost on this machine.

All times are CPU times, of one thread, so that a busy machine changes them little. Each is a slope:
the same command on much and on little, the difference divided by what there was more. So nothing
that a process does once is counted. `benchmarks.billion` carries them to many machines.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import data, models, requests, table
from benchmarks.commands import Spent, cpu_of
from benchmarks.measure import log

#: Where `benchmarks.billion` looks for them.
TERMS = Path(__file__).with_name("terms.json")
LENGTHS = (5, 10, 20, 40, 75, 150)
_FEW_SHARDS, _MORE_SHARDS, _SMALL = 20, 220, 10
_LIBRARIES = {"ray": "ray", "dask": "distributed", "spark": "pyspark"}


def main() -> None:
    """Measure, print, and write the file."""
    options = _options()
    known = json.loads(options.json.read_text("utf-8")) if options.json.exists() else {}
    if options.speed:
        known["peers"] = peers(json.loads(options.speed.read_text("utf-8"))["rows"])
        options.json.write_text(f"{json.dumps(known, indent=2)}\n", "utf-8")
        return
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = options.model or models.trained(folder)
        # What the other ways to call this have measured stays.
        terms: dict = {"engines": {}, "peers": {}, **known}
        if not options.only_engines:
            terms["machine"] = table.machine()
            terms["rows_per_second"] = rates(model, folder, options.rows, options.rounds)
            terms |= of_shards(model, folder, options.rounds)
            log("requests")
            terms["requests"] = requests.counted(model, folder)
        for name, library in _LIBRARIES.items():
            if find_spec(library):
                terms["engines"][name] = of_engine(name, model, folder)
    print(told(terms))
    options.json.write_text(f"{json.dumps(terms, indent=2)}\n", "utf-8")


def rates(model: Path, folder: Path, rows: int, rounds: int) -> dict[str, float]:
    """Rows a second on one core, by the mean number of words.

    Args:
        model: The model.
        folder: For the files.
        rows: Of the longer job.
        rounds: How often each runs; the medians are used.
    """
    found: dict[str, list[float]] = {str(words): [] for words in LENGTHS}
    for number in range(rounds):
        for words in LENGTHS:
            log(f"{words} words, round {number + 1} of {rounds}")
            found[str(words)].append(rate_of(words, model, folder, rows))
    return {words: round(median(each), 1) for words, each in found.items()}


def rate_of(words: int, model: Path, folder: Path, rows: int) -> float:
    """Rows a second on one core, of texts with a mean number of words.

    Args:
        words: The mean.
        model: The model.
        folder: For the files.
        rows: Of the longer job; the shorter one has a tenth.
    """
    few, spent = rows // 10, []
    for count in (few, rows):
        source = folder / "texts.parquet"
        pq.write_table(pa.table({"text": texts(words, count)}), source)
        spent.append(_score(source, folder / "scored.parquet", model).cpu)
    return (rows - few) / max(spent[1] - spent[0], 1e-9)


def texts(words: int, rows: int) -> list[str]:
    """Distinct real texts, cut and joined to lengths around a mean; made-up words without any.

    Args:
        words: The mean. The lengths are between half of it and half as much again.
        rows: How many texts.
    """
    drawn = random.Random(words)
    if data.data_folder():
        names = [name for name in data.FILES["news"] if name]
        whole = [pq.read_table(data.real(name))["text"].to_pylist() for name in names]
        stream = " ".join(text for each in whole for text in each).split()
    else:
        stream = list(data.MADE_UP_WORDS)
    made, at = [], 0
    for _ in range(rows):
        length = max(1, drawn.randint(-(-words // 2), words + words // 2))
        if at + length > len(stream):
            at = drawn.randrange(length)  # another place to cut at, the next time round
        made.append(" ".join(stream[at : at + length]))
        at += length
    return made


def of_shards(model: Path, folder: Path, rounds: int) -> dict[str, float]:
    """What a start costs, a shard, a file of the input, and a part of `finish`, in CPU seconds.

    Args:
        model: The model.
        folder: For the files.
        rounds: How often each runs; the medians are used.
    """
    found: dict[str, list[float]] = {}
    for number in range(rounds):
        log(f"shards, round {number + 1} of {rounds}")
        few, more = (small_shards(folder, count) for count in (_FEW_SHARDS, _MORE_SHARDS))
        extra = _MORE_SHARDS - _FEW_SHARDS
        alone = [_score(each, folder / f"{each.name}-alone", model, "--shard", "0/1")
                 for each in (few, more)]  # fmt: skip
        ended = [cpu_of("finish", folder / f"{each.name}-alone") for each in (few, more)]
        spread = [_score(each, folder / f"{each.name}-spread", model, "--jobs", 2)
                  for each in (few, more)]  # fmt: skip
        many, one = small_files(folder, _MORE_SHARDS), small_files(folder, _FEW_SHARDS)
        plan = [_score(each, folder / "planned", model, "--dry-run") for each in (one, many)]
        source = folder / "one.parquet"
        pq.write_table(pa.table({"text": texts(10, 1)}), source)
        start = _score(source, folder / "one-scored.parquet", model)
        worker = (_workers(spread[1]) - _workers(spread[0])) / extra
        for name, value in {
            "start": start.cpu,
            "shard": (alone[1].cpu - alone[0].cpu) / extra,
            "driver": (spread[1].driver - spread[0].driver) / extra,
            "worker": worker,
            "worker_start": (_workers(spread[0]) - worker * _FEW_SHARDS) / 2,
            "file": (plan[1].cpu - plan[0].cpu) / extra,
            "finish": (ended[1].cpu - ended[0].cpu) / extra,
        }.items():
            found.setdefault(name, []).append(value)
        for path in folder.iterdir():
            if path.is_dir() and path.name.startswith(("shards-", "files-")):
                shutil.rmtree(path)
    return {f"{name}_seconds": round(median(each), 6) for name, each in found.items()}


def of_engine(name: str, model: Path, folder: Path) -> float:
    """Seconds of wall time a small shard, of two workers: an upper bound for what the driver needs.

    Args:
        name: Of the backend.
        model: The model.
        folder: For the files.
    """
    log(name)
    spent = []
    for count in (_FEW_SHARDS, _MORE_SHARDS):
        source = small_shards(folder, count)
        output = folder / f"{source.name}-{name}"
        spent.append(_score(source, output, model, "--jobs", 2, "--backend", name).seconds)
    return round((spent[1] - spent[0]) / (_MORE_SHARDS - _FEW_SHARDS), 6)


def small_shards(folder: Path, count: int) -> Path:
    """A folder with one file that is cut into so many shards, of ten rows each."""
    path = folder / f"shards-{count}"
    path.mkdir(exist_ok=True)
    rows = pa.table({"text": texts(10, count * _SMALL)})
    pq.write_table(rows, path / "a.parquet", row_group_size=_SMALL)
    return path


def small_files(folder: Path, count: int) -> Path:
    """A folder of so many files of ten rows."""
    path = folder / f"files-{count}"
    path.mkdir(exist_ok=True)
    for number in range(count):
        pq.write_table(pa.table({"text": texts(10, _SMALL)}), path / f"{number:04d}.parquet")
    return path


def peers(rows: list[dict]) -> dict[str, dict[str, float]]:
    """CPU seconds a row by data set and engine, of those that were timed; textbatch comes first.

    Args:
        rows: What benchmarks.speed wrote of each engine.
    """
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["seconds"] and row["covers"] == rows[0]["covers"]:
            each = round(median(row["cpu_seconds"]) / row["rows"], 9)
            found.setdefault(row["dataset"], {})[row["title"]] = each
    return found


def told(terms: dict) -> str:
    """The terms as Markdown."""
    rates = terms["rows_per_second"]
    first = table.markdown(
        ["mean words", "rows/s a core", "core hours a billion rows"],
        [[w, f"{rate:,.0f}", f"{1e9 / rate / 3600:,.1f}"] for w, rate in rates.items()],
    )
    second = table.markdown(
        ["once", "CPU time"],
        [
            ["start of a process, model loaded", _time(terms["start_seconds"])],
            ["start of a worker of `--jobs`", _time(terms["worker_start_seconds"])],
            ["a file, for a plan", _time(terms["file_seconds"])],
            ["a shard of a share, beside its rows", _time(terms["shard_seconds"])],
            ["a shard in a worker of `--jobs`", _time(terms["worker_seconds"])],
            ["a shard in the driver of `--jobs`", _time(terms["driver_seconds"])],
            ["a part, in `finish`", _time(terms["finish_seconds"])],
            *(
                [f"a shard of `--backend {name}`, two workers, wall time", _time(seconds)]
                for name, seconds in terms["engines"].items()
            ),
        ],
    )
    third = requests.told(terms["requests"])
    return "\n\n".join([first, second, third, table.caption()])


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms"


def _workers(spent: Spent) -> float:
    return spent.cpu - spent.driver


def _score(source: Path, output: Path, model: Path, *flags: str | int) -> Spent:
    folder = ("--shard-rows", _SMALL) if source.is_dir() else ()
    words = ("score", source, output, "--model", model, "--text-column", "text", "--overwrite")
    return cpu_of(*words, *folder, "--threads", 1, *flags)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.terms", description=__doc__)
    parser.add_argument("--rows", type=int, default=30_000, help="of each length [%(default)s]")
    parser.add_argument("--rounds", type=int, default=3, help="[%(default)s]")
    parser.add_argument(
        "--only-engines",
        action="store_true",
        help="only those that are installed here; the file has the rest",
    )
    parser.add_argument(
        "--speed", type=Path, help="only take peers from what benchmarks.speed --json wrote"
    )
    parser.add_argument("--model", type=Path, help="bundle to measure with [trains one]")
    parser.add_argument("--json", type=Path, default=TERMS, help="where it is written")
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
