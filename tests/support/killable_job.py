"""What the fault tests share: a job that can be killed, and a look at what it left."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.data.output.any_output import check_any_seal, files_of
from textbatch.data.output.seal import check_seal
from textbatch.errors import TextbatchError

#: `make test-faults` sets it: as many rounds as docs/operations.md reports, instead of a few.
FULL = os.environ.get("FAULTS") == "full"

COLUMNS = ["predicted_label", "confidence", "status"]


def rounds(few: int, many: int) -> range:
    """Seeds: a few in `make test`, many in `make test-faults`."""
    return range(many if FULL else few)


@dataclass(kw_only=True)
class Job:
    """A scoring job on files of its own.

    Attributes:
        folder: Where the output stands, and nothing else.
        source: The input.
        model: The bundle.
        flags: Of `score`.
        expected: The output of a run that nothing disturbed; of CSV and JSON Lines its bytes.
        name: Name of the output.
    """

    folder: Path
    source: Path
    model: Path
    flags: tuple[str, ...] = ()
    expected: pa.Table | bytes | None = field(default=None, repr=False)
    name: str = "out.parquet"

    @property
    def output(self) -> Path:
        return self.folder / self.name

    @property
    def arguments(self) -> list[str]:
        paths = [str(self.source), str(self.output), "--model", str(self.model)]
        return ["score", *paths, *self.flags]

    def start(self, *flags: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "textbatch", *self.arguments, *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def run(self, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
        with self.start(*flags, **environment) as process:
            out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def names(self) -> list[str]:
        return sorted(entry.name for entry in self.folder.iterdir())

    def wait_for_temporary(self, process: subprocess.Popen[str]) -> None:
        while process.poll() is None and not list(self.folder.glob(f".{self.name}.*.tmp")):
            time.sleep(0.002)

    def assert_complete(self) -> None:
        """The output is that of the undisturbed run, and nothing lies beside it."""
        assert self.names() == [file.name for file in files_of(self.output)]
        check_any_seal(self.output)
        if isinstance(self.expected, bytes):
            assert self.output.read_bytes() == self.expected
            return
        found = pq.read_table(self.output)
        assert found.num_rows == self.expected.num_rows
        assert found.equals(self.expected)


class Reader:
    """Looks at an output every millisecond, as another job would.

    Attributes:
        looks: How often it looked.
        wrong: What it saw that was neither the old file nor a complete new one.
    """

    def __init__(self, job: Job, old: bytes | None) -> None:
        self.looks = 0
        self.wrong: list[str] = []
        self._job, self._old = job, old
        self._seen: dict[tuple[int, int, int], bool] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.001):
            self.looks += 1
            try:
                with self._job.output.open("rb") as file:
                    found = os.fstat(file.fileno())
                    state = (found.st_ino, found.st_size, found.st_mtime_ns)
                    if state not in self._seen:
                        self._seen[state] = self._is_whole(file.read())
                    if not self._seen[state]:
                        self.wrong.append("neither old nor complete")
            except FileNotFoundError:
                if self._old is not None:
                    self.wrong.append("missing")

    def _is_whole(self, content: bytes) -> bool:
        if content == self._old:
            return True
        if isinstance(self._job.expected, bytes):
            return content == self._job.expected
        copy = self._job.folder.parent / "seen.parquet"
        copy.write_bytes(content)
        try:
            check_seal(copy)
        except TextbatchError:
            return False
        return pq.read_metadata(copy).num_rows == self._job.expected.num_rows
