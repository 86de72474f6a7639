"""How many cores this process may use."""

from __future__ import annotations

import math
import os
import sys
from contextlib import suppress
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """Count the cores that affinity, cgroups and `LOKY_MAX_CPU_COUNT` allow this process.

    It is what joblib counts, whose import takes a tenth of the time of a small job.
    """
    cores = os.cpu_count() or 1
    given = os.environ.get("LOKY_MAX_CPU_COUNT")
    limits = [len(os.sched_getaffinity(0)), _quota(), int(given) if given else cores]
    return max(1, min(cores, *limits))


def _quota() -> int:
    """The whole cores that a container's share of time needs; very many without a limit."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):  # version 2, 1
        with suppress(OSError, ValueError):
            texts = [(_CGROUPS / name).read_text("ascii") for name in names]
            quota, period = map(int, " ".join(texts).split())
            if quota > 0 and period > 0:
                return math.ceil(quota / period)
    return sys.maxsize
