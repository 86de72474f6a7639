"""Limits the memory of this process."""

from __future__ import annotations

import resource

from textbatch.cli.machine import check_memory
from textbatch.errors import UsageError
from textbatch.options.byte_size import bytes_of

#: The libraries alone need a few hundred MiB. The system takes no number above the second.
_LEAST_BYTES, _MOST_BYTES = 256 << 20, (1 << 63) - 1


def limit_memory(size: str) -> int:
    """Make the system refuse more private memory than this. Then the job ends with exit code 71.

    `RLIMIT_DATA` counts memory that a process can write to and does not share. It does not grow
    with mapped files and reserved ranges, as the address space does.

    Args:
        size: A number of bytes, or a number with K, M or G (powers of 1,024).

    Returns:
        The limit in bytes.

    Raises:
        UsageError: The size is malformed, or too small to start with.
        OutOfMemoryError: It is too small for this machine: libraries take some for each core.
    """
    limit = bytes_of(size)
    if not _LEAST_BYTES <= limit <= _MOST_BYTES:
        raise UsageError(
            f"--max-memory is {size}, which is no size of at least 256M that a machine could have",
            "give for example 2G",
        )
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    check_memory()
    # For what is loaded already, the variable that `check_memory` sets comes too late.
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())
    return limit
