"""A discrete-event simulation of a job of shards on machines that fail and machines that are slow.

One core is one worker, and scores one shard at a time. Two ways to share the shards out:

* an engine (`--backend`): one queue, and one driver, which hands out a shard, publishes it and
  notes it;
* shares (`--shard I/N`): each machine has its own queue and its own driver, and `finish` ends the
  job.

Time is in seconds. Own code instead of a library: a queue of events is in the standard library, and
50,000 shards have to take a second.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

#: How often a shard is begun whose worker dies; then the job ends without it, and is run again.
TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What things cost, as `benchmarks.terms` measures them; requests by the store's limits.

    Attributes:
        row: CPU seconds a row, on one core.
        start: Seconds of a process that makes the plan, until it has loaded the model.
        worker_start: Seconds of a worker, from its start to its first row; 0 where the process that
            makes the plan works itself.
        shard: CPU seconds a shard beside its rows, in the worker.
        plan: Seconds more of each process that makes the plan.
        driver: Seconds of the driver a shard; meanwhile it does nothing else.
        finish: Seconds of the process that ends the job; 0 where the driver does.
        shard_requests: Requests a shard, of its worker.
        publish_requests: Requests a shard, of its driver.
        start_requests: Requests of each process that makes the plan; their waits are in `plan`.
    """

    row: float
    start: float
    shard: float
    driver: float
    worker_start: float = 0.0
    plan: float = 0.0
    finish: float = 0.0
    shard_requests: Mapping[str, float] = field(default_factory=dict)
    publish_requests: Mapping[str, float] = field(default_factory=dict)
    start_requests: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An object store.

    Attributes:
        limits: Requests a second that it answers, by kind; more of them wait.
        latency: Seconds from a request to its answer. A worker waits for each before the next one.
    """

    limits: Mapping[str, float] = field(default_factory=dict)
    latency: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What runs where.

    Attributes:
        rows: Rows of the job.
        shard_rows: Rows of a shard.
        machines: How many there are.
        cores: Cores of each, all of which work.
        shared: Whether each machine has a fixed share; otherwise one driver hands out the shards.
        failures: How often a machine fails, an hour.
        repair: Seconds until another one has taken its place, which begins with a start.
        notice: Seconds until a driver knows of it.
        slow_share: The share of the machines that are slow.
        slow_speed: How fast they are, beside the others.
        seed: Of all that is random.
    """

    rows: int
    shard_rows: int
    machines: int
    cores: int
    shared: bool = False
    failures: float = 0.0
    repair: float = 300.0
    notice: float = 30.0
    slow_share: float = 0.0
    slow_speed: float = 1 / 3
    seed: int = 0


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of a job.

    Attributes:
        seconds: From the start to the end of the job.
        busy: Core seconds of work that counts.
        lost: Core seconds of work on shards that were begun again.
        done: How often each shard was finished.
        failed: Shards that had to wait for another run, because their workers died too often.
        driver: The share of the time in which the busiest driver is busy.
        store: The same of the store, by kind of request.
    """

    seconds: float = 0.0
    busy: float = 0.0
    lost: float = 0.0
    done: list[int] = field(default_factory=list)
    failed: int = 0
    driver: float = 0.0
    store: dict[str, float] = field(default_factory=dict)

    def lost_share(self) -> float:
        """The share of all work that was for nothing."""
        return self.lost / (self.lost + self.busy) if self.lost else 0.0


def lower_bound(job: Job, costs: Costs) -> float:
    """Seconds that the job takes at least: all its work, shared out without a gap.

    Args:
        job: The job.
        costs: What things cost.
    """
    slow = round(job.machines * job.slow_share)
    speed = job.cores * (job.machines - slow + slow * job.slow_speed)
    work = job.rows * costs.row + -(-job.rows // job.shard_rows) * costs.shard
    return costs.start + work / speed


def simulate(job: Job, costs: Costs, store: Store | None = None) -> Result:
    """Run the job.

    Args:
        job: What runs where.
        costs: What things cost.
        store: The object store of inputs and output; None for a disk, which answers at once.
    """
    return _Run(job, costs, store or Store()).to_end()


class _Run:
    def __init__(self, job: Job, costs: Costs, store: Store) -> None:
        self._job, self._costs, self._store = job, costs, store
        self._random = random.Random(job.seed)
        count = -(-job.rows // job.shard_rows)
        self._rows = [job.shard_rows] * (count - 1) + [job.rows - job.shard_rows * (count - 1)]
        self._result = Result(done=[0] * count)
        self._queues = [deque[int]() for _ in range(job.machines if job.shared else 1)]
        for shard in range(count):
            self._queues[shard % len(self._queues)].append(shard)
        self._to_note = [deque[tuple[int, int, int]]() for _ in self._queues]
        self._driver_busy = [0.0] * len(self._queues)
        self._store_free = dict.fromkeys(store.limits, 0.0)
        self._store_busy = dict.fromkeys(store.limits, 0.0)
        slow = set(self._random.sample(range(job.machines), round(job.machines * job.slow_share)))
        self._speed = [job.slow_speed if m in slow else 1.0 for m in range(job.machines)]
        self._life = [0] * job.machines
        self._running: list[dict[int, tuple[int, float]]] = [{} for _ in range(job.machines)]
        self._idle: list[set[int]] = [set() for _ in range(job.machines)]
        self._deaths: dict[int, int] = {}
        self._failed: list[int] = []
        self._left, self._end, self._number = count, 0.0, 0
        self._events: list[tuple[float, int, str, int, int, int]] = []

    def to_end(self) -> Result:
        job, result = self._job, self._result
        planned = 0.0 if job.shared else self._planned(0.0)
        for machine in range(job.machines):
            self._begin_machine(planned, machine)
        while self._left:
            now, _, kind, machine, core, life = heapq.heappop(self._events)
            if kind == "back":
                self._begin_machine(now, machine)
            elif kind == "noticed":
                self._requeue(now, machine, core)
            elif kind == "noted":
                self._noted(now, machine, core, life)
            elif life == self._life[machine]:
                if kind == "free":
                    self._take(now, machine, core)
                elif kind == "scored":
                    self._scored(now, machine, core)
                else:
                    self._fail(now, machine)
        result.seconds = self._end + self._costs.finish
        result.failed = len(self._failed)
        result.driver = max(self._driver_busy) / result.seconds
        result.store = {kind: busy / result.seconds for kind, busy in self._store_busy.items()}
        return result

    def _push(
        self, time: float, kind: str, machine: int, core: int = 0, life: int | None = None
    ) -> None:
        self._number += 1
        life = self._life[machine] if life is None else life
        event = (time, self._number, kind, machine, core, life)
        heapq.heappush(self._events, event)

    def _begin_machine(self, now: float, machine: int) -> None:
        job = self._job
        ready = (self._planned(now) if job.shared else now) + self._costs.worker_start
        for core in range(job.cores):
            self._push(ready, "free", machine, core)
        if job.failures:
            self._push(now + self._random.expovariate(job.failures / 3600), "fail", machine)

    def _planned(self, now: float) -> float:
        """When a process that starts now has its plan."""
        limited = self._wait_of_limits(now, self._costs.start_requests)
        return now + self._costs.start + max(self._costs.plan, limited)

    def _take(self, now: float, machine: int, core: int) -> None:
        queue = self._queues[self._queue(machine)]
        if not queue:
            self._idle[machine].add(core)
            return
        shard = queue.popleft()
        work = self._rows[shard] * self._costs.row + self._costs.shard
        self._running[machine][core] = (shard, now)
        waits = self._ask(now, self._costs.shard_requests)
        self._push(now + waits + work / self._speed[machine], "scored", machine, core)

    def _scored(self, now: float, machine: int, core: int) -> None:
        shard, began = self._running[machine].pop(core)
        self._result.busy += now - began
        self._result.done[shard] += 1
        queue = self._queue(machine)
        self._to_note[queue].append((machine, core, self._life[machine]))
        if len(self._to_note[queue]) == 1:
            self._note(now, queue)

    def _note(self, now: float, queue: int) -> None:
        """The driver publishes and notes the oldest shard, one at a time."""
        machine, core, life = self._to_note[queue][0]
        noted = now + self._costs.driver + self._ask(now, self._costs.publish_requests)
        self._driver_busy[queue] += noted - now
        self._push(noted, "noted", machine, core, life)

    def _noted(self, now: float, machine: int, core: int, life: int) -> None:
        """Only now the worker gets another shard."""
        self._left -= 1
        self._end = now
        queue = self._queue(machine)
        self._to_note[queue].popleft()
        if self._to_note[queue]:
            self._note(now, queue)
        if life == self._life[machine]:
            self._take(now, machine, core)

    def _fail(self, now: float, machine: int) -> None:
        self._life[machine] += 1
        self._idle[machine].clear()
        job = self._job
        for shard, began in self._running[machine].values():
            self._result.lost += now - began
            # Whoever has a share of his own notices when he is back.
            self._push(now + (0.0 if job.shared else job.notice), "noticed", machine, shard)
        self._running[machine].clear()
        self._push(now + job.repair, "back", machine)

    def _requeue(self, now: float, machine: int, shard: int) -> None:
        deaths = self._deaths[shard] = self._deaths.get(shard, 0) + 1
        if deaths == TRIES and not self._job.shared:
            self._failed.append(shard)  # a rerun does it, at the end
            self._queues[0].append(shard)
        else:
            self._queues[self._queue(machine)].appendleft(shard)
        for other in [machine] if self._job.shared else range(self._job.machines):
            if self._idle[other]:
                self._push(now, "free", other, self._idle[other].pop())
                return

    def _queue(self, machine: int) -> int:
        return machine if self._job.shared else 0

    def _ask(self, now: float, requests: Mapping[str, float]) -> float:
        """Seconds that requests take, one after the other."""
        waits = sum(requests.values()) * self._store.latency
        return max(waits, self._wait_of_limits(now, requests))

    def _wait_of_limits(self, now: float, requests: Mapping[str, float]) -> float:
        """Seconds until a store that answers no more than its limits has answered all."""
        until = now
        for kind, number in requests.items() if self._store.limits else ():
            need = number / self._store.limits[kind]
            self._store_free[kind] = max(now, self._store_free[kind]) + need
            self._store_busy[kind] += need
            until = max(until, self._store_free[kind])
        return until - now
