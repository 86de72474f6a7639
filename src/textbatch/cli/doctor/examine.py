"""All that `doctor` looks at, and what is wrong with it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping

from textbatch import __version__
from textbatch.cli.doctor.golden import golden_rows
from textbatch.cli.doctor.libraries import NEEDED, STORES, libraries, usable
from textbatch.cli.doctor.machine import disks, machine
from textbatch.cli.doctor.record import (
    Diagnosis,
    Disk,
    GoldenRows,
    Library,
    Machine,
    Problem,
    Usable,
)
from textbatch.cli.machine import check_machine
from textbatch.errors import (
    EXTRAS,
    BundleError,
    OutOfMemoryError,
    StorageError,
    TextbatchError,
    UsageError,
)

#: With less, in bytes, a job on a large file fails soon.
_LITTLE_DISK, _LITTLE_MEMORY = 100 << 20, 256 << 20


def examine(commands: Mapping[str, str], model: str | None, *, slow: bool) -> tuple[Diagnosis, str]:
    """Look at everything.

    Args:
        commands: For each command the extra that it needs; empty for none.
        model: The model to be tried; None for none.
        slow: Whether to import the libraries that take seconds too.

    Returns:
        What was found; and what is wrong, in words that may name places; empty if nothing is.
    """
    found = libraries(dict.fromkeys(filter(None, commands.values())), slow=slow)
    here, places = machine(), disks()
    broken = {one.name for one in found if one.name in NEEDED and one.state != "ok"}
    rows: GoldenRows | None = None
    problems = [*_of_libraries(found), *_of_machine(here), *_of_disks(places)]
    private = ""
    if model is not None and not broken:
        tried, private = golden_rows(model)
        if isinstance(tried, GoldenRows):
            rows = tried
            problems += (off := list(_of_rows(tried)))
            private = "".join(f"{one.told}; {one.remedy}" for one in off)
        else:
            problems.append(tried)
    told = [f"{one.told}; {one.remedy}" for one in problems if one.check != "model"]
    told += filter(None, [private])
    diagnosis = Diagnosis(
        state="failed" if problems else "healthy",
        textbatch=__version__,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        encoding=f"{sys.getfilesystemencoding()}, stdout {sys.stdout.encoding}",
        machine=here,
        disks=places,
        libraries=found,
        commands=tuple(_commands(commands, found)),
        stores=tuple(usable(name, extra, needs, found) for name, (extra, needs) in STORES.items()),
        model=rows,
        problems=tuple(problems),
        exit_code=problems[0].exit_code if problems else 0,
    )
    return diagnosis, "; ".join(told)


def _commands(commands: Mapping[str, str], found: tuple[Library, ...]) -> Iterator[Usable]:
    for name, extra in commands.items():
        needs = (*NEEDED, *(EXTRAS[extra] if extra else ()))
        yield usable(name, extra or None, needs, found)


def _of_libraries(found: tuple[Library, ...]) -> Iterator[Problem]:
    for one in found:
        extra = f"[{one.extra}]" if one.extra else ""
        if one.state == "broken":
            told = f"{one.name} {one.version or ''} cannot be imported: {one.told}"
        elif one.state == "missing" and one.extra is None:
            told = f"{one.name} is not installed"
        else:
            continue
        yield Problem(
            check="libraries",
            told=" ".join(told.split()),
            remedy=f"remove it, then pip install 'textbatch{extra}'",
            exit_code=UsageError.exit_code,
        )


def _of_machine(here: Machine) -> Iterator[Problem]:
    try:
        check_machine(trains=False)
    except TextbatchError as error:
        yield Problem(
            check="machine", told=error.what, remedy=error.remedy, exit_code=error.exit_code
        )
    available = min(here.memory_available, here.memory_limit or here.memory_available)
    if 0 < available < _LITTLE_MEMORY:
        yield Problem(
            check="memory",
            told=f"{available >> 20} MiB of memory are available, "
            f"{_LITTLE_MEMORY >> 20} are needed",
            remedy="end other programs, or give the container more",
            exit_code=OutOfMemoryError.exit_code,
        )


def _of_disks(places: tuple[Disk, ...]) -> Iterator[Problem]:
    for one in places:
        if one.free is not None and one.free < _LITTLE_DISK:
            yield Problem(
                check="disk",
                told=f"{one.name}: {one.free >> 20} MiB are free",
                remedy="free space",
                exit_code=StorageError.exit_code,
            )
        # A job may write elsewhere than into the others.
        elif one.name == "temporary folder" and not one.writable:
            yield Problem(
                check="disk",
                told=f"{one.name}: no file can be made there",
                remedy="set TMPDIR to a folder that this user may write to",
                exit_code=StorageError.exit_code,
            )


def _of_rows(rows: GoldenRows) -> Iterator[Problem]:
    if not rows.difference <= rows.tolerance:
        yield Problem(
            check="model",
            told=f"the model's golden rows are off by {rows.difference:.2g} on this machine",
            remedy="compare the versions of the libraries with those that made it",
            exit_code=BundleError.exit_code,
        )
