"""What `doctor` has found, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator

from textbatch.cli.doctor.record import Diagnosis, Usable

_WIDTH = 18


def lines(found: Diagnosis) -> Iterator[str]:
    """Tell what was found, the problems last.

    Args:
        found: The diagnosis.
    """
    here = found.machine
    yield _line("textbatch", f"{found.textbatch}, {found.python}, {found.encoding}")
    yield _line("system", here.system)
    yield _line("processor", f"{here.processor or 'unknown'}: {' '.join(here.instructions)}")
    limit = "" if here.cores_limit is None else f", the container allows {here.cores_limit:g}"
    yield _line("cores", f"{here.cores}, this process may use {here.cores_allowed}{limit}")
    limit = (
        "" if here.memory_limit is None else f", the container allows {_size(here.memory_limit)}"
    )
    available = f"{_size(here.memory_available)} available"
    yield _line("memory", f"{_size(here.memory)}, {available}{limit}")
    limits = (f"{name} {value:,}" for name, value in here.limits.items() if value is not None)
    yield _line("limits", ", ".join(limits) or "none")
    yield _line("GPUs", ", ".join(here.gpus) or "none")
    for disk in found.disks:
        free = "not there" if disk.free is None else f"{_size(disk.free)} free"
        yield _line(disk.name, free + ("" if disk.writable else ", not writable"))
    for state, title in (
        ("ok", "libraries"),
        ("not tried", "not tried"),
        ("missing", "not installed"),
        ("broken", "broken"),
    ):
        named = [
            f"{one.name} {one.version or ''}".strip() + (f" ({one.told})" if one.told else "")
            for one in found.libraries
            if one.state == state
        ]
        if named:
            yield _line(title, ", ".join(named))
    for title, group in (("commands", found.commands), ("stores and more", found.stores)):
        yield _line(title, ", ".join(one.name for one in group if one.state == "ok") or "none")
        yield from map(_lacking, (one for one in group if one.state != "ok"))
    if rows := found.model:
        yield _line(
            "model",
            f"{rows.fingerprint[:12]}, made by textbatch {rows.textbatch}; {rows.rows} golden "
            f"rows, off by {rows.difference:.2g} (at most {rows.tolerance:g}), "
            f"{rows.seconds:.1f} s",
        )
    for one in found.problems:
        yield f"PROBLEM: {one.told}; {one.remedy}"
    if not found.problems:
        yield "No problem found."


def _lacking(one: Usable) -> str:
    needs = f": pip install 'textbatch[{one.extra}]'" if one.extra else ""
    return _line("", f"{one.name} lacks {', '.join(one.lacks)}{needs}")


def _line(name: str, text: str) -> str:
    return f"{name:{_WIDTH}}{text}"


def _size(size: int) -> str:
    return f"{size / (1 << 30):,.1f} GiB"
