"""The command line as its users run it: a process from start to end."""

from __future__ import annotations

import atexit
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import peak_mib

_POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a command took.

    Attributes:
        seconds: From start to end of the process.
        cpu: CPU seconds of all its processes together, system time included.
        driver: CPU seconds of the process that was started, without its workers.
    """

    seconds: float
    cpu: float
    driver: float


def textbatch(*arguments: str | Path | int) -> tuple[float, float]:
    """Run `textbatch` and wait.

    Returns:
        Wall time of the whole process in seconds, and its largest resident memory in MiB.

    Raises:
        SystemExit: It failed; it has told why on stderr.
    """
    command = [sys.executable, "-m", "textbatch", *map(str, arguments)]
    started, peak = time.perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, peak_mib(process.pid))
            time.sleep(_POLL_SECONDS)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(process.returncode)
    return seconds, peak


def cpu_of(*arguments: str | Path | int) -> Spent:
    """Run `textbatch`, and tell what it took of the processor.

    Raises:
        SystemExit: It failed; it has told why on stderr.
    """
    # The driver's own time is the last line.
    code = "from benchmarks.commands import run_driver; run_driver()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.returncode)
    return Spent(
        seconds=seconds,
        cpu=after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime,
        driver=float(done.stdout.split()[-1]),
    )


def run_driver() -> None:
    """Be `textbatch`, and print at the end the CPU seconds of this process alone."""

    def tell() -> None:
        own = resource.getrusage(resource.RUSAGE_SELF)
        os.write(1, f"\n{own.ru_utime + own.ru_stime}\n".encode())

    atexit.register(tell)
    from textbatch.cli.entry import main

    main()
