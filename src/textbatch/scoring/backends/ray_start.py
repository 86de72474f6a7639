"""The connection to Ray, and how long its workers may take to start.

A machine that is busy may need minutes for the processes of Ray, which is no failure; a cluster
whose CPUs are taken never answers, which is one.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from textbatch.errors import TryAgainError
from textbatch.scoring.backends.cluster import (
    ROOM_SECONDS,
    START_SECONDS,
    check_answers,
    no_room,
    signals_seen,
    unreachable,
)

#: What a process of Ray may take to start, in seconds: 60 unless this variable says more. How long
#: it waits for its first process is not set: where that has died, which it does when the machine is
#: busy, the sooner Ray is started anew the better.
_PATIENCE = ("RAY_worker_register_timeout_seconds",)


def connect(address: str | None, cpus: int) -> None:
    """Connect this process to Ray, or start Ray on this machine.

    Args:
        address: The value of `--address`; None for that of the environment, or this machine.
        cpus: How many a Ray that starts here has.

    Raises:
        UsageError: The address is malformed.
        TryAgainError: The cluster does not answer, or Ray cannot start here.
    """
    address = chosen(address)
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        _start_here(options | {"num_cpus": cpus, "include_dashboard": False})
        return
    import ray

    if address != "auto":
        # With TLS the answer cannot be told from here.
        check_answers(address, grpc=not os.environ.get("RAY_USE_TLS"))
        if not address.startswith("ray://"):
            address = address.rpartition("/")[2]
    try:
        with signals_seen():
            ray.init(address=address, **options)
    except Exception as error:  # of many classes, `Exception` itself among them
        raise unreachable(address) from error


def chosen(address: str | None) -> str:
    """The address to use, `local` for a Ray that starts here.

    Args:
        address: The value of `--address`.
    """
    return address or os.environ.get("RAY_ADDRESS") or "local"


def _start_here(options: dict[str, Any]) -> None:
    with _patient():
        import ray

        until = time.monotonic() + START_SECONDS
        while True:
            try:
                with signals_seen():
                    ray.init(address="local", **options)
                return
            except Exception as error:
                with suppress(Exception):
                    ray.shutdown()
                # What fails for another reason than the time does so at once.
                if "timed out" in str(error) and time.monotonic() < until:
                    continue
                told = f"Ray cannot start on this machine ({type(error).__name__})"
                raise no_room(told) from error


@contextmanager
def _patient() -> Iterator[None]:
    """Let Ray's processes take longer to start."""
    mine = [name for name in _PATIENCE if name not in os.environ]
    os.environ.update(dict.fromkeys(mine, f"{START_SECONDS:.0f}"))
    try:
        yield
    finally:
        for name in mine:
            os.environ.pop(name, None)


class Room:
    """Tells a cluster without room from one whose processes are slow to start.

    Half a minute after the workers were asked for, a process is asked for that needs no CPU of the
    cluster. As long as it does not answer either, the cluster is slow.
    """

    def __init__(
        self,
        probe: Callable[[], Any],
        answered: Callable[[Any], bool],
        *,
        wanted: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Workers are asked for now.

        Args:
            probe: Asks for the process.
            answered: Whether what `probe` gave has its answer.
            wanted: What a worker needs, for the message.
            clock: Seconds.
        """
        self._probe, self._answered, self._wanted = probe, answered, wanted
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Workers are asked for anew."""
        self._since = self._clock()
        self._asked: Any = None
        self._answer: float | None = None

    def check(self) -> None:
        """Called now and then while there is no worker.

        Raises:
            TryAgainError: There has been no room for a minute, or no process has started for ten.
        """
        waited = self._clock() - self._since
        if waited < ROOM_SECONDS / 2:
            return
        if self._asked is None:
            self._asked = self._probe()
        if self._answer is None and self._answered(self._asked):
            self._answer = self._clock()
        if self._answer is None:
            if waited >= START_SECONDS:
                raise TryAgainError(
                    f"Ray has started no process for {START_SECONDS:.0f} s",
                    "look into the logs of its machines, then run again",
                )
            return
        if min(waited / 2, self._clock() - self._answer) >= ROOM_SECONDS / 2:
            raise no_room(
                f"Ray has had no room for a worker with {self._wanted} for {waited:.0f} s"
            )
