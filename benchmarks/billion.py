"""`python -m benchmarks.billion`: a billion rows on a hundred machines, simulated.

What things cost was measured on one machine by `benchmarks.terms`, and stands in `terms.json`; the
rest is assumed, and printed. The same terms give the same tables. `--page` puts them into a page.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from benchmarks import table
from benchmarks.cluster import Costs, Job, Result, Store, lower_bound, simulate
from benchmarks.page import put_tables
from benchmarks.terms import TERMS
from textbatch.scoring.folder.side_by_side import ASKED

ROWS, MACHINES, WORDS = 10**9, 100, 40
FILE_ROWS = 10**6
SHARD_ROWS = 100_000
SIZES = (20_000, 100_000, 500_000, 2_000_000)
SEEDS = range(3)
#: An assumption: a machine lives ten hours in the mean, and one in twenty has a third of the speed.
FAILURES, SLOW_SHARE = 0.1, 0.05
#: What S3 documents for each prefix, requests a second; and what is assumed of an answer.
S3 = Store(limits={"GET": 5500, "PUT": 3500}, latency=0.1)
#: Of the requests of a shard those of the driver: a look at the input before it hands it out, the
#: upload of the part, and a look at it.
OF_DRIVER = {"HEAD": 2.0, "PUT": 1.0}
#: The limit that each kind of request counts for.
_LIMIT = {"GET": "GET", "HEAD": "GET", "LIST": "PUT", "PUT": "PUT", "POST": "PUT", "DELETE": "PUT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the job runs.

    Attributes:
        title: Its name in the tables.
        shared: Whether by shares without a driver.
        store: Whether inputs and output are in an object store.
        tasks: How many shares there are that a scheduler starts when a core is free; 0 for a share
            of each machine, or for an engine.
    """

    title: str
    shared: bool
    store: bool
    tasks: int = 0


WAYS = (
    Way(title="engine, disk", shared=False, store=False),
    Way(title="shares: 100, disk", shared=True, store=False),
    Way(title="shares: 1,000, disk", shared=False, store=False, tasks=1000),
    Way(title="engine, S3", shared=False, store=True),
    Way(title="shares: 100, S3", shared=True, store=True),
    Way(title="shares: 1,000, S3", shared=False, store=True, tasks=1000),
)
TROUBLES = {
    "no trouble": (0.0, 0.0),
    "failing": (FAILURES, 0.0),
    "slow": (0.0, SLOW_SHARE),
    "both": (FAILURES, SLOW_SHARE),
}


def main() -> None:
    """Print the tables, or put them into a page."""
    parser = argparse.ArgumentParser("python -m benchmarks.billion", description=__doc__)
    parser.add_argument("--terms", type=Path, default=TERMS, help="what benchmarks.terms wrote")
    parser.add_argument("--page", type=Path, help="put the tables between the marks of this page")
    options = parser.parse_args()
    terms = json.loads(options.terms.read_text("utf-8"))
    tables = {
        "rates": rates(terms),
        "terms": costs_of_terms(terms),
        "limits": limits(terms),
        "troubles": troubles(terms),
        "sizes": sizes(terms),
    }
    if terms.get("peers"):
        tables["peers"] = peers(terms)
    if options.page:
        put_tables(options.page, tables)
        return
    for name, text in tables.items():
        print(f"{name}:\n\n{text}\n")


def costs_of(terms: Mapping, way: Way, shard_rows: int) -> Costs:
    """What things cost in a way.

    Args:
        terms: As measured.
        way: The way.
        shard_rows: Rows of a shard.
    """
    files, parts = ROWS / FILE_ROWS, ROWS / shard_rows
    engine = not way.shared and not way.tasks
    asked = terms["requests"]["jobs" if engine else "share"]
    of_process, of_file = (_by_limit(asked[what]) for what in ("process", "file"))
    of_plan = {kind: files * number + of_process.get(kind, 0) for kind, number in of_file.items()}
    waits = sum(of_plan.values()) * S3.latency / ASKED if way.store else 0.0
    plan = files * terms["file_seconds"] + waits
    work = {kind: n - OF_DRIVER.get(kind, 0) for kind, n in asked["shard"].items()}
    finish = terms["finish_seconds"]
    if way.store:
        looks = terms["requests"]["finish"]["shard"]
        finish += sum(looks.values()) * S3.latency / ASKED
    costs = Costs(
        row=1 / terms["rows_per_second"][str(WORDS)],
        start=terms["start_seconds"],
        worker_start=terms["worker_start_seconds"],
        plan=plan,
        shard=terms["worker_seconds"],
        driver=terms["driver_seconds"],
        finish=0.0 if engine else terms["start_seconds"] + parts * finish,
        shard_requests=_by_limit(work),
        publish_requests=_by_limit(OF_DRIVER),
        start_requests=of_plan,
    )
    return _as_tasks(costs, way, parts / way.tasks) if way.tasks else costs


def _as_tasks(costs: Costs, way: Way, shards: float) -> Costs:
    """The costs where each core runs one share after the other, each a process of its own.

    Such a share is what the simulation calls a shard: nobody hands out parts of it.
    """
    asked = {
        kind: shards * (costs.shard_requests.get(kind, 0) + costs.publish_requests.get(kind, 0))
        for kind in S3.limits
    }
    # The requests of the plan are made side by side, and their waits are in `plan`.
    return replace(
        costs,
        worker_start=0.0,
        plan=0.0,
        shard=costs.start + costs.plan + shards * (costs.shard + costs.driver),
        driver=0.0,
        shard_requests=asked,
        publish_requests={},
        start_requests={},
    )


def _by_limit(kinds: Mapping[str, float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for kind, number in kinds.items():
        found[_LIMIT[kind]] = found.get(_LIMIT[kind], 0.0) + number
    return found


def rates(terms: Mapping) -> str:
    """Rows a second of one core, and core hours a billion rows, by length."""
    return table.markdown(
        ["mean words", "rows/s a core", "core hours a billion rows"],
        [
            [words, f"{rate:,.0f}", f"{ROWS / rate / 3600:,.1f}"]
            for words, rate in terms["rows_per_second"].items()
        ],
    )


def costs_of_terms(terms: Mapping) -> str:
    """What is done once for each process, file, shard and part."""
    share, shard = terms["requests"]["share"], terms["requests"]["jobs"]["shard"]
    worker = {kind: n - OF_DRIVER.get(kind, 0) for kind, n in shard.items()}
    finish = terms["requests"]["finish"]["shard"]
    rows = [
        ("start of a process, model loaded", "start_seconds", share["process"]),
        ("start of a worker", "worker_start_seconds", {}),
        ("an input file, in the plan", "file_seconds", share["file"]),
        ("a shard, in its worker", "worker_seconds", worker),
        ("a shard, in the driver", "driver_seconds", OF_DRIVER),
        ("a part, in `finish`", "finish_seconds", finish),
    ]
    return table.markdown(
        ["beside the rows", "CPU time", "requests to S3"],
        [
            *([title, _short(terms[name]), _requests(asked)] for title, name, asked in rows),
            *(
                [f"a shard by `--backend {name}`, two workers, wall time", _short(seconds), ""]
                for name, seconds in terms["engines"].items()
            ),
        ],
    )


def _requests(kinds: Mapping[str, float]) -> str:
    return ", ".join(f"{number:g} {kind}" for kind, number in kinds.items() if number) or "–"


def limits(terms: Mapping) -> str:
    """At how many machines each resource is busy all the time."""
    cores = terms["machine"]["cores"]
    lines = []
    for shard_rows in SIZES:
        disk, store = (costs_of(terms, way, shard_rows) for way in (WAYS[0], WAYS[3]))
        work = shard_rows * disk.row + disk.shard
        remote = work + S3.latency * sum(store.shard_requests.values())
        uploads = store.driver + S3.latency * sum(store.publish_requests.values())
        asked = {
            kind: store.shard_requests.get(kind, 0) + store.publish_requests[kind]
            for kind in S3.limits
        }
        most = [
            work / disk.driver,
            remote / uploads,
            *(S3.limits[kind] * remote / asked[kind] for kind in S3.limits),
        ]
        lines.append([f"{shard_rows:,}", *(f"{number / cores:,.0f}" for number in most)])
    return table.markdown(
        ["rows a shard", "driver", "driver that uploads to S3", "S3's GET and HEAD", "S3's PUT"],
        lines,
    )


def troubles(terms: Mapping) -> str:
    """The job in each way: minutes with each trouble; what it costs with both of them."""
    lines = []
    for way in WAYS:
        costs = costs_of(terms, way, SHARD_ROWS)
        cells = []
        for failures, slow in TROUBLES.values():
            job = job_of(terms, way, SHARD_ROWS, failures, slow)
            results = _results(job, costs, way)
            seconds = mean(one.seconds for one in results)
            cells.append(f"{seconds / 60:,.0f}")
        least = lower_bound(job, costs_of(terms, WAYS[0], SHARD_ROWS))
        lost = mean(one.lost_share() for one in results)
        hours = seconds * job.machines * job.cores / 3600
        lines.append([way.title, *cells, f"{seconds / least:.2f}", f"{hours:,.0f}", f"{lost:.2%}"])
    named = [f"minutes, {title}" for title in TROUBLES]
    return table.markdown(["way", *named, "× the least", "core hours", "lost to failures"], lines)


def sizes(terms: Mapping) -> str:
    """The job with both troubles, by the size of shards."""
    lines = []
    for shard_rows in SIZES:
        minutes = []
        for way in WAYS:
            job = job_of(terms, way, shard_rows, FAILURES, SLOW_SHARE)
            results = _results(job, costs_of(terms, way, shard_rows), way)
            minutes.append(f"{mean(one.seconds for one in results) / 60:,.0f}")
        lines.append([f"{shard_rows:,}", f"{-(-ROWS // shard_rows):,}", *minutes])
    return table.markdown(["rows a shard", "shards", *(way.title for way in WAYS)], lines)


def peers(terms: Mapping) -> str:
    """Core hours a billion rows of textbatch and of its peers, all of one run."""
    lines = []
    for dataset, engines in terms["peers"].items():
        own = next(iter(engines.values()))
        for title, seconds in engines.items():
            hours = f"{seconds * ROWS / 3600:,.0f}"
            lines.append([dataset, title, hours, f"{seconds / own:.1f} ×"])
    return table.markdown(["data", "engine", "core hours a billion rows", "of textbatch"], lines)


def job_of(terms: Mapping, way: Way, shard_rows: int, failures: float, slow: float) -> Job:
    """The job in a way, with troubles."""
    return Job(
        rows=ROWS,
        shard_rows=ROWS // way.tasks if way.tasks else shard_rows,
        machines=MACHINES,
        cores=terms["machine"]["cores"],
        shared=way.shared,
        failures=failures,
        slow_share=slow,
    )


def _results(job: Job, costs: Costs, way: Way) -> list[Result]:
    seeds = SEEDS if job.failures or job.slow_share else SEEDS[:1]
    store = S3 if way.store else None
    return [simulate(replace(job, seed=seed), costs, store) for seed in seeds]


def _short(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms"


if __name__ == "__main__":
    main()
