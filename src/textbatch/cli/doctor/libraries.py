"""Which libraries are installed, and which can be imported. Each is tried in another process."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from textbatch.cli.doctor.record import CommandState, Library, LibraryState, Usable
from textbatch.errors import EXTRAS

#: What every command needs.
NEEDED = ("numpy", "pyarrow", "msgspec", "onnxruntime", "onnx", "safetensors", "joblib", "rich")
#: What stores, tables and reports to other tools need, by name: extra, libraries.
STORES = {
    "s3://": ("s3", ("boto3",)),
    "gs://": ("gcs", ("google.cloud.storage",)),
    "abfs://": ("azure", ("adlfs",)),
    "hf://": ("hf", ("huggingface_hub",)),
    "Delta tables": ("delta", ("deltalake",)),
    "metrics": ("prometheus", ("prometheus_client",)),
    "lineage": ("openlineage", ("openlineage.client",)),
    "pages": ("html", ("matplotlib", "jinja2")),
}
#: They take seconds to import.
SLOW = ("tensorflow", "keras")
#: The name of the package, where it is another one.
_PACKAGES = {
    "sklearn": "scikit-learn",
    "google.cloud.storage": "google-cloud-storage",
    "huggingface_hub": "huggingface-hub",
    "prometheus_client": "prometheus-client",
    "openlineage.client": "openlineage-python",
}
#: How long all imports may take, in seconds.
_LONGEST = 60.0
#: Says on its own descriptor what it tries: libraries may print.
_CHILD = """
import importlib, os, sys
told = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
for name in sys.argv[1:]:
    print("begin", name, file=told, flush=True)
    try:
        importlib.import_module(name)
    except BaseException as error:
        print("failed", type(error).__name__, file=told, flush=True)
    else:
        print("done", file=told, flush=True)
os._exit(0)
"""


def libraries(extras: Iterable[str], *, slow: bool) -> tuple[Library, ...]:
    """Look at all libraries.

    Args:
        extras: The extras of commands.
        slow: Whether to import those that take seconds too.
    """
    wanted: dict[str, str | None] = dict.fromkeys(NEEDED)
    for extra in extras:
        for name in EXTRAS[extra]:
            wanted.setdefault(name, extra)
    wanted |= {"tensorflow": "train"} if "keras" in wanted else {}
    for extra, names in STORES.values():
        for name in names:
            wanted.setdefault(name, extra)
    there = [name for name in wanted if _is_installed(name)]
    tried = tried_imports([name for name in there if slow or name not in SLOW])
    return tuple(
        Library(
            name=name,
            version=_version(name) if name in there else None,
            extra=extra,
            state=_state(name, there, tried),
            told=tried.get(name, ""),
        )
        for name, extra in wanted.items()
    )


def tried_imports(names: Sequence[str], *, seconds: float = _LONGEST) -> dict[str, str]:
    """Import libraries in another process, which may die of it.

    Args:
        names: The libraries.
        seconds: How long that may take.

    Returns:
        For each what went wrong: nothing, a class of error, a signal.
    """
    found: dict[str, str] = {}
    until = time.monotonic() + seconds
    waiting = list(names)
    while waiting:
        told, ended = _import(waiting, until - time.monotonic())
        begun: str | None = None
        for line in told.splitlines():
            word, _, rest = line.partition(" ")
            if word == "begin":
                begun = rest
            elif begun is not None:
                found[begun] = rest if word == "failed" else ""
                begun = None
        # The process has died of the one that it had begun, or could not even begin.
        dead = begun or next((one for one in waiting if one not in found), None)
        if dead is not None:
            found[dead] = ended
        waiting = [one for one in waiting if one not in found]
    return found


def usable(name: str, extra: str | None, needs: Iterable[str], all_: Iterable[Library]) -> Usable:
    """Whether something can be used.

    Args:
        name: What it is.
        extra: The extra of textbatch that brings what it needs.
        needs: The libraries that it needs.
        all_: The libraries, as they were found.
    """
    states = {one.name: one.state for one in all_}
    broken = tuple(one for one in needs if states.get(one) == "broken")
    missing = tuple(one for one in needs if states.get(one, "missing") == "missing")
    state: CommandState = "broken" if broken else "missing" if missing else "ok"
    return Usable(name=name, state=state, lacks=broken + missing, extra=extra)


def _import(names: Sequence[str], seconds: float) -> tuple[str, str]:
    """What the process said, and how it ended."""
    if seconds <= 0:
        return "", "no time was left"
    if not sys.executable:
        return "", "there is no Python to try it with"
    try:
        # Not from the current folder: a file there may have the name of a library.
        done = subprocess.run(
            [sys.executable, "-P", "-c", _CHILD, *names],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return (error.stdout or b"").decode("utf-8", "replace"), f"no answer in {seconds:.0f} s"
    except OSError as error:
        return "", type(error).__name__
    return done.stdout.decode("utf-8", "replace"), ended_by(done.returncode)


def ended_by(code: int) -> str:
    """How a process has ended, from its exit code as `subprocess` tells it."""
    if code >= 0:
        return f"it ended the process with {code}"
    try:
        return f"it ended the process by {signal.Signals(-code).name}"
    except ValueError:
        return f"it ended the process by signal {-code}"


def _state(name: str, there: Sequence[str], tried: dict[str, str]) -> LibraryState:
    if name not in there:
        return "missing"
    if name not in tried:
        return "not tried"
    return "broken" if tried[name] else "ok"


def _is_installed(name: str) -> bool:
    try:
        # Of `google.cloud.storage` only the first part: looking for the rest would import it.
        whole = "." not in name
        return find_spec(name) is not None if whole else _version(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _version(name: str) -> str | None:
    try:
        return version(_PACKAGES.get(name, name))
    except PackageNotFoundError:
        return None
    except Exception:  # what describes it is damaged
        return None
