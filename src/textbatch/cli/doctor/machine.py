"""Cores, memory, limits, devices and disks, as the system tells them."""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from textbatch.cli.doctor.record import Disk, Machine

_CGROUPS = Path("/sys/fs/cgroup")
_DRIVER = Path("/proc/driver/nvidia/gpus")
#: Those of x86 and of ARM that choose among the kernels of ONNX Runtime, OpenBLAS and Arrow.
_INSTRUCTIONS = (
    *("sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "avx512_vnni"),
    *("avx_vnni", "amx_tile", "amx_int8", "asimd", "asimddp", "sve", "i8mm", "bf16"),
)
_LIMITS = {
    "open files": resource.RLIMIT_NOFILE,
    "processes": resource.RLIMIT_NPROC,
    "address space": resource.RLIMIT_AS,
    "data": resource.RLIMIT_DATA,
    "file size": resource.RLIMIT_FSIZE,
    "core dump": resource.RLIMIT_CORE,
}
#: A cgroup that has no limit tells a number near this one.
_NO_LIMIT = 1 << 60


def machine() -> Machine:
    """Look at the machine."""
    processor = _read(Path("/proc/cpuinfo"))
    memory = _memory()
    library = " ".join(platform.libc_ver()).strip()
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()} {library}".strip(),
        processor=_field(processor, "model name"),
        instructions=_instructions(processor),
        cores=os.cpu_count() or 1,
        cores_allowed=len(os.sched_getaffinity(0)),
        cores_limit=_cores_limit(),
        memory=memory.get("MemTotal", 0),
        memory_available=memory.get("MemAvailable", 0),
        memory_limit=_memory_limit(),
        limits={name: _limit(which) for name, which in _LIMITS.items()},
        gpus=_gpus(),
    )


def disks() -> tuple[Disk, ...]:
    """Look at the places that commands write to. Their paths are not told."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.environ.get("HOME")
    found = [_disk("current folder", _current())]
    temporary: str | None = None
    with suppress(OSError):  # there is no place where a file can be made
        temporary = tempfile.gettempdir()
    found.append(_disk("temporary folder", temporary))
    found.append(_disk("cache", cache or temporary))
    return tuple(found)


def _current() -> str | None:
    with suppress(OSError):  # it was removed
        return os.getcwd()  # noqa: PTH109 - a path is not needed
    return None


def _disk(name: str, path: str | None) -> Disk:
    if path is None:
        return Disk(name=name, free=None, writable=False)
    # A cache that is not there yet is made in the folder above it.
    while not os.path.isdir(path) and path != os.path.dirname(path):  # noqa: PTH112, PTH120
        path = os.path.dirname(path)  # noqa: PTH120
    free: int | None = None
    with suppress(OSError):
        free = shutil.disk_usage(path).free
    writable = os.access(path, os.W_OK | os.X_OK, effective_ids=True)
    return Disk(name=name, free=free, writable=writable)


def _limit(which: int) -> int | None:
    soft, _ = resource.getrlimit(which)
    return None if soft == resource.RLIM_INFINITY else soft


def _instructions(processor: str) -> tuple[str, ...]:
    told = set((_field(processor, "flags") or _field(processor, "Features")).split())
    return tuple(one for one in _INSTRUCTIONS if one in told)


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{re.escape(name)}\s*:\s*(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _memory() -> dict[str, int]:
    found = re.findall(r"^(\w+):\s+(\d+) kB$", _read(Path("/proc/meminfo")), re.MULTILINE)
    return {name: int(size) << 10 for name, size in found}


def _cores_limit() -> float | None:
    """The smallest quota of this process's group and those above it, in cores."""
    found: list[float] = []
    for group in _groups("cpu"):
        quota, _, period = _read(group / "cpu.max").partition(" ")
        if not quota:
            quota = _read(group / "cpu.cfs_quota_us")
            period = _read(group / "cpu.cfs_period_us")
        with suppress(ValueError, ZeroDivisionError):
            if (cores := int(quota) / int(period)) > 0:
                found.append(cores)
    return round(min(found), 2) if found else None


def _memory_limit() -> int | None:
    found: list[int] = []
    for group in _groups("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            with suppress(ValueError):
                found.append(int(_read(group / name)))
    smallest = min(found, default=_NO_LIMIT)
    return None if smallest >= _NO_LIMIT else smallest


def _groups(controller: str) -> Iterable[Path]:
    """The folders of this process's control group and of those above it, of both versions."""
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if names and controller not in names.split(","):
            continue
        root = _CGROUPS / names if names else _CGROUPS
        inner = Path(path.lstrip("/"))
        if ".." not in inner.parts:
            yield from (root / part for part in (inner, *inner.parents))


def _gpus() -> tuple[str, ...]:
    """The names of the GPUs that NVIDIA's driver knows. No library is loaded for it."""
    found: list[str] = []
    with suppress(OSError):
        for one in sorted(_DRIVER.iterdir()):
            found.append(_field(_read(one / "information"), "Model") or "unknown")
    return tuple(found)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
