"""The run that holds the lock of a job, as its workers see it, maybe from another machine."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from textbatch import __version__
from textbatch.data.output.work_directory import lock_of, work_directory_of
from textbatch.errors import ConflictError, TryAgainError


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who gave a task. A worker writes nothing for a run that has ended.

    An engine may begin a task again, or go on with it when its run is gone. Another run may have
    taken over by then: the lock file of the job, which all of them see, names the one that counts.

    Attributes:
        work: The work directory of the job.
        run_id: The id of the run.
        process: Its process.
        machine: Where that is.
        textbatch: Its release of textbatch.
    """

    work: Path
    run_id: str
    process: int
    machine: str
    textbatch: str

    @classmethod
    def this_process(cls, output: Path, run_id: str) -> Self:
        """The holder that this process is.

        Args:
            output: What the lock is beside.
            run_id: The id of its run.
        """
        return cls(
            work=work_directory_of(output.absolute()),
            run_id=run_id,
            process=os.getpid(),
            machine=_machine(),
            textbatch=__version__,
        )

    def check_seen(self) -> None:
        """Check that this process can work for it.

        Raises:
            ConflictError: It has another textbatch, or sees other disks.
            TryAgainError: The run has ended.
        """
        here = f"the worker on {os.uname().nodename}"
        if self.textbatch != __version__:
            raise ConflictError(
                f"{here} has textbatch {__version__}, and the job is of {self.textbatch}",
                "install the same release on all machines",
            )
        if not lock_of(self.work).exists():
            raise ConflictError(
                f"{here} does not see {self.work}, or the job has ended",
                "put the output on a disk that all machines share; for an object store, --work-dir",
            )
        self.check()

    def check(self) -> None:
        """Check that the run goes on.

        Raises:
            TryAgainError: It has ended, or another one has taken over.
        """
        try:
            owner = json.loads(lock_of(self.work).read_bytes())
            goes_on = owner.get("run_id") == self.run_id and self._lives()
        except (OSError, ValueError):
            goes_on = False
        if not goes_on:
            raise TryAgainError(f"the run {self.run_id} of {self.work} has ended", "run again")

    def _lives(self) -> bool:
        """Whether its process is there, as far as that can be seen from here."""
        if self.machine == _machine():
            try:
                os.kill(self.process, 0)
            except ProcessLookupError:
                return False
            except PermissionError:
                pass
        return True


def _machine() -> str:
    """A name for where process ids mean the same: containers of one host have their own."""
    return f"{os.uname().nodename} {os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116
