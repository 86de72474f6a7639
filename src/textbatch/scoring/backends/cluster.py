"""What the engines have in common: their address, their tasks, their failures."""

from __future__ import annotations

import asyncio
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from textbatch.data.storage.location import Location
from textbatch.errors import OutOfMemoryError, TextbatchError, TryAgainError, UsageError
from textbatch.model.named_models import NamedModels
from textbatch.scoring.backends.port import TRIES, resumed
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.file_task import FileTask

#: How long a cluster may take to answer, and to have a worker.
ANSWER_SECONDS, ROOM_SECONDS = 10.0, 60.0
#: How long processes may take to start, on a machine that is busy.
START_SECONDS = 600.0
_PLACE = re.compile(r"(?:[a-z]+://)?\[?([^\[\]/:]+|[0-9A-Fa-f:]+(?=\]))\]?:(\d{1,5})/?")
#: How gRPC begins: the preface of HTTP/2 and empty settings; the answer is settings too.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
_SETTINGS = 4


def check_answers(address: str, *, grpc: bool = False) -> None:
    """Check that something listens at an address. The libraries may try for minutes.

    Args:
        address: `host:port`, with a scheme or not.
        grpc: Whether it has to speak gRPC.

    Raises:
        UsageError: It is no such address.
        TryAgainError: Nothing answers there.
    """
    found = _PLACE.fullmatch(address)
    if not found or not 0 < int(found[2]) < 65536:
        raise UsageError(f"--address {address} is no host:port", "give one, as 10.0.0.1:6379")
    try:
        asyncio.run(asyncio.wait_for(_reach(found[1], int(found[2]), grpc=grpc), ANSWER_SECONDS))
    except (OSError, EOFError, ValueError, TimeoutError) as error:
        raise unreachable(address) from error


async def _reach(host: str, port: int, *, grpc: bool) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        if grpc:
            writer.write(_PREFACE)
            if (await reader.readexactly(9))[3] != _SETTINGS:
                raise ValueError("another protocol")
    finally:
        writer.close()


def unreachable(address: str) -> TryAgainError:
    """The error for an address at which no cluster answers."""
    return TryAgainError(
        f"no cluster answers at --address {address}", "check the address, or start the cluster"
    )


def no_room(what: str) -> TryAgainError:
    """The error for a cluster that has no worker for the job, as `what` tells."""
    return TryAgainError(what, "wait until the cluster is free, ask for less, or give it machines")


@contextmanager
def signals_kept() -> Iterator[None]:
    """Put the handlers of signals back that a library has replaced."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        yield
    finally:
        for one, handler in before.items():
            if handler is not None and signal.getsignal(one) is not handler:
                with suppress(OSError):
                    signal.signal(one, handler)


@contextmanager
def signals_seen() -> Iterator[None]:
    """Let a signal through that came while native code of a library ran.

    Python says `SystemError` for an exception of a handler that native code has not looked for.

    Raises:
        BaseException: What the handler raised.
    """
    try:
        yield
    except SystemError as error:
        if error.__cause__ is None or isinstance(error.__cause__, Exception):
            raise
        raise error.__cause__ from None


def sendable_task(task: FileTask, config: ScoreConfig) -> FileTask:
    """The task for a process that stands in another folder, and that may be begun several times.

    Args:
        task: The task.
        config: The options for the workers.
    """
    models = config.model
    if isinstance(models, NamedModels):
        each = tuple(replace(one, place=_absolute(one.place)) for one in models.each)
        options = vars(config) | {"model": NamedModels(each)}
    else:
        options = vars(config) | {"model": _absolute(models)}
    if config.cache is not None:
        options["cache"] = config.cache.absolute()
    again = resumed(task)
    return replace(
        again,
        config=ScoreConfig(**options),
        input=_absolute(task.input),
        named=task.input,
        pieces=tuple(replace(one, location=_absolute(one.location)) for one in task.pieces),
        output=task.output.absolute(),
        quarantine=task.quarantine and _absolute(task.quarantine),
    )


def with_threads(task: FileTask, most: int) -> FileTask:
    """The task with as many threads as its worker may use.

    Args:
        task: The task.
        most: How many these are.
    """
    threads = max(1, min(task.config.threads or most, most))
    return replace(task, config=ScoreConfig(**vars(task.config) | {"threads": threads}))


def _absolute(place: Location) -> Location:
    return place.absolute() if isinstance(place, Path) else place


def death(task: FileTask, told: str = "") -> TextbatchError:
    """The error for a task whose workers die.

    Args:
        task: The task.
        told: What is known of the cause.
    """
    cause = f" ({told})" if told else ""
    return OutOfMemoryError(
        f"the worker of {task.title} died again and again{cause}, as where memory is short",
        "give the workers more memory, or take --chunk-rows 1000; the others are not concerned",
    )


def broken(task: FileTask, error: BaseException) -> TextbatchError:
    """The error for a task that the engine itself could not run.

    Args:
        task: The task.
        error: Of the engine. Its text may hold anything, and is not told.
    """
    name = type(error).__name__
    return UsageError(
        f"{task.title}: the workers of the cluster cannot run textbatch ({name}, {TRIES} times)",
        "install the same textbatch and Python on all machines, and look into the workers' logs",
    )
