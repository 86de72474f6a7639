"""Places where a test can make the job die. They do nothing unless `TEXTBATCH_FAILPOINTS` is set.

`TEXTBATCH_FAILPOINTS=name:probability:seed[:action]`, or several of these with commas between.
Whenever the job reaches the named place, a number drawn from the seed decides whether the action
happens: `kill` (SIGKILL, the default), `term` (SIGTERM), `int` (SIGINT), `raise` (an I/O error) or
`memory` (a MemoryError). With the same seed it happens at the same visit. The idea is that of
FoundationDB's Buggify.
"""

from __future__ import annotations

import errno
import os
import random
import signal
from functools import cache

from textbatch.errors import UsageError

VARIABLE = "TEXTBATCH_FAILPOINTS"

#: In the order in which a scoring run reaches them.
NAMES = (
    "begun",
    "lock-taken",
    "leftovers-removed",
    "output-created",
    "journal-created",
    "journal-half-written",
    "journal-written",
    "journal-synced",
    "rows-written",
    "footer-written",
    "output-sealed",
    "output-synced",
    "output-checked",
    "quarantine-published",
    "output-published",
    "directory-synced",
    "journal-removed",
    "lock-removed",
)
#: Those that only an output with a record beside it reaches.
RECORD_NAMES = ("record-written",)
#: Those that only a job over several files reaches.
FOLDER_NAMES = (
    "success-removed",
    "part-published",
    "part-noted",
    "manifest-written",
    "success-written",
    "ledger-removed",
)
#: Those that `promote` reaches, in order; `rollback` reaches the third.
PROMOTE_NAMES = ("version-begun", "version-written", "current-written", "old-removed")
#: Those that training reaches.
TRAINING_NAMES = ("checkpoint-saved",)
_ALL_NAMES = NAMES + RECORD_NAMES + FOLDER_NAMES + PROMOTE_NAMES + TRAINING_NAMES
_SIGNALS = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "int": signal.SIGINT}
_ACTIONS = (*_SIGNALS, "raise", "memory")


def failpoint(name: str) -> None:
    """Reach a place. Outside of tests nothing happens.

    Raises:
        OSError: The action of the place is `raise`.
        MemoryError: The action of the place is `memory`.
        UsageError: The variable is malformed.
    """
    for probability, draws, action in _active().get(name, ()):
        if draws.random() < probability:
            _happen(action)


def _happen(action: str) -> None:
    if action == "raise":
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    if action == "memory":
        raise MemoryError
    os.kill(os.getpid(), _SIGNALS[action])


@cache
def _active() -> dict[str, list[tuple[float, random.Random, str]]]:
    active: dict[str, list[tuple[float, random.Random, str]]] = {}
    for entry in filter(None, os.environ.get(VARIABLE, "").split(",")):
        try:
            name, probability, seed, *rest = entry.split(":")
            (action,) = rest or ["kill"]
            chance, draws = float(probability), random.Random(int(seed))
        except ValueError:
            name = action = ""
        if name not in _ALL_NAMES or action not in _ACTIONS:
            raise UsageError(
                f"{VARIABLE} has a malformed entry or an unknown place",
                "write name:probability:seed[:action], or unset it",
            )
        active.setdefault(name, []).append((chance, draws, action))
    return active
