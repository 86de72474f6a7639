"""The command line as its users run it: a process from start to end."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import peak_mib

_POLL_SECONDS = 0.01


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
