"""How many processes share the cores, and how many threads each of them gets."""

from __future__ import annotations

import joblib


def shares_of(jobs: int, threads: int | None, *, most: int) -> tuple[int, int]:
    """Share the cores that this process may use.

    Args:
        jobs: How many worker processes are asked for.
        threads: How many threads each of them is to have; None for its share of the cores.
        most: How many workers have something to do.

    Returns:
        Workers, and threads of each: their product is never greater than the number of cores.
    """
    # joblib counts the cores that affinity and cgroups allow this process.
    cores = joblib.cpu_count()
    workers = max(1, min(jobs, cores, most))
    share = max(1, cores // workers)
    return workers, min(threads or share, share)
