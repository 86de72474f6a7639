"""Kills a command at each of its calls about files in a folder, and runs it again each time.

A process of its own, because it forks: `python killed_at_calls.py < job.json`, where the job has

    arguments   of textbatch
    folder      that the command works in; what it holds at the very first is put back each time
    calls       numbers of the calls to die at; null only counts them

It prints one line of JSON for each: the call, how the first run ended and what it left, how the
second one ended, what that said, and the names of all files afterwards.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from textbatch.cli import app

#: They change what is on the disk, or who holds it.
CALLS = (
    "open", "mkdir", "write", "pwrite", "ftruncate", "fsync", "replace", "unlink", "rmdir", "close",
)  # fmt: skip
_BY_PATH = ("open", "mkdir", "replace", "unlink", "rmdir")


class Calls:
    """Counts the calls about files in a folder, and dies before one of them."""

    def __init__(self, folder: str, last: int | None) -> None:
        self.names: list[str] = []
        self._folder, self._last = folder, last
        self._ours: set[int] = set()
        for name in CALLS:
            setattr(os, name, self._counted(name, getattr(os, name)))

    def _counted(self, name: str, real: Any) -> Any:
        def call(target: Any, *arguments: Any, **keywords: Any) -> Any:
            if name in _BY_PATH:
                is_ours = os.fspath(target).startswith(self._folder)
            else:
                is_ours = target in self._ours
            if not is_ours:
                return real(target, *arguments, **keywords)
            self.names.append(name)
            if len(self.names) == self._last:
                os.kill(os.getpid(), signal.SIGKILL)
            if name == "close":
                self._ours.discard(target)
            done = real(target, *arguments, **keywords)
            if name == "open":
                self._ours.add(done)
            return done

        return call


def run(arguments: list[str], folder: str, last: int | None, told: Path) -> tuple[int, list[str]]:
    """Run the command in a child, which dies at a call. Its status, and its calls if it lives."""
    child = os.fork()
    if child == 0:
        with told.open("w") as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
        calls = Calls(folder, last)
        sys.argv = ["textbatch", *arguments]
        code = app._run()
        sys.stdout.flush()
        told.with_suffix(".calls").write_text(json.dumps(calls.names))
        os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status, [] if status < 0 else json.loads(told.with_suffix(".calls").read_text())


def preload() -> None:
    """Import what the commands import, once for all children."""
    import prometheus_client.parser  # noqa: F401

    import textbatch.model.engines.onnx
    import textbatch.report.html.run_page
    import textbatch.scoring.folder.run
    import textbatch.scoring.score  # noqa: F401


def main() -> None:
    preload()
    job = json.load(sys.stdin)
    folder = Path(job["folder"])
    aside = folder.with_name("told")
    before = folder.with_name("before")
    if not before.exists():
        shutil.copytree(folder, before, symlinks=True)
    for number in job["calls"] or [None]:
        shutil.rmtree(folder)
        shutil.copytree(before, folder, symlinks=True)
        first, calls = run(job["arguments"], str(folder), number, aside)
        died = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
        second, _ = run(job["arguments"], str(folder), None, aside) if number else (0, [])
        names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
        said = aside.read_text()
        ended = {"call": number, "first": first, "calls": calls, "second": second, "said": said}
        print(json.dumps({**ended, "died": died, "names": names}), flush=True)


if __name__ == "__main__":
    main()
