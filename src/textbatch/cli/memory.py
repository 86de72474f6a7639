"""A bound on the memory of this process."""

from __future__ import annotations

import re
import resource

from textbatch.errors import UsageError

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
#: The libraries alone take a few hundred MiB.
_LEAST_BYTES = 256 << 20


def limit_memory(size: str) -> int:
    """Have the system refuse more private memory than this, so that the job ends with code 71.

    `RLIMIT_DATA` counts what a process may write to and shares with nobody; unlike the address
    space, it does not grow with mapped files and reserved ranges.

    Args:
        size: Bytes, or with the suffix K, M or G, powers of 1,024.

    Returns:
        The bytes.

    Raises:
        UsageError: The size is malformed or too small to start with.
    """
    match = re.fullmatch(r"(\d{1,15})([KMG]?)(i?B)?", size.strip(), re.IGNORECASE)
    limit = int(match[1]) * _UNITS[match[2].upper()] if match else 0
    if limit < _LEAST_BYTES:
        raise UsageError(
            f"--max-memory is {size}, which is no size of at least 256M", "give for example 2G"
        )
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    return limit
