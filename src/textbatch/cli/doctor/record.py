"""What `doctor` finds. It can be shown to strangers: no paths, no texts, no names of places."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

#: Increased when a field changes its meaning or is removed.
SCHEMA_VERSION = 1

LibraryState = Literal["ok", "not tried", "missing", "broken"]
CommandState = Literal["ok", "missing", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A library that textbatch uses.

    Attributes:
        name: The name by which it is imported.
        version: Its version; None if it is not installed.
        extra: The extra of textbatch that brings it; None if every command needs it.
        state: `ok` if it can be imported; `not tried` if that takes long and was not asked for.
        told: Why it cannot be imported: the class of the error, or the signal.
    """

    name: str
    version: str | None
    extra: str | None
    state: LibraryState
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """A command, a store or another part of textbatch, and whether it can be used.

    Attributes:
        name: The command, or the scheme of the store.
        state: Whether all that it needs is there.
        lacks: The libraries that are missing or broken.
        extra: The extra of textbatch that brings them; None if there is none.
    """

    name: str
    state: CommandState
    lacks: tuple[str, ...]
    extra: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What this process may use.

    Attributes:
        system: Kernel and its release, architecture, C library.
        processor: The processor's own name; empty if it does not tell.
        instructions: Sets of instructions that decide which kernels the libraries take.
        cores: Cores of the machine.
        cores_allowed: Cores that this process may run on.
        cores_limit: Cores that the container allows, as 1.5; None without a limit.
        memory: Memory of the machine, in bytes.
        memory_available: Memory that is free or can be freed, in bytes.
        memory_limit: Memory that the container allows, in bytes; None without a limit.
        limits: Limits of the process (`ulimit`), by name; None for none.
        gpus: The GPUs that the driver tells.
    """

    system: str
    processor: str
    instructions: tuple[str, ...]
    cores: int
    cores_allowed: int
    cores_limit: float | None
    memory: int
    memory_available: int
    memory_limit: int | None
    limits: dict[str, int | None]
    gpus: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A place that commands write to.

    Attributes:
        name: What it is for.
        free: Free space for this user, in bytes; None if there is no such place.
        writable: Whether a file could be made there.
    """

    name: str
    free: int | None
    writable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenRows:
    """The golden rows of a model, answered on this machine.

    Attributes:
        fingerprint: Fingerprint of the model.
        textbatch: The version that made it.
        made_with: Versions of the libraries that made it.
        rows: Number of golden rows.
        difference: The largest difference of a probability from what it was when it was made.
        tolerance: A larger difference is refused.
        seconds: How long it took to load the model and to answer.
    """

    fingerprint: str
    textbatch: str
    made_with: dict[str, str]
    rows: int
    difference: float
    tolerance: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is wrong.

    Attributes:
        check: What was checked.
        told: What is wrong.
        remedy: What to do.
        exit_code: The exit code that it stands for.
    """

    check: str
    told: str
    remedy: str
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All that was found.

    Attributes:
        state: `healthy`, or `failed` if there are problems.
        textbatch: Version of textbatch.
        python: Version of Python.
        encoding: Encoding of names of files and of stdout.
        machine: The machine.
        disks: Places that commands write to.
        libraries: The libraries.
        commands: The commands.
        stores: Object stores, tables and reports to other tools.
        model: The golden rows; None if no model was named, or they could not be answered.
        problems: What is wrong.
        exit_code: Of the command.
    """

    state: Literal["healthy", "failed"]
    textbatch: str
    python: str
    encoding: str
    machine: Machine
    disks: tuple[Disk, ...]
    libraries: tuple[Library, ...]
    commands: tuple[Usable, ...]
    stores: tuple[Usable, ...]
    model: GoldenRows | None
    problems: tuple[Problem, ...]
    exit_code: int

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}
