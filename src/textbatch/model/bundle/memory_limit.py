"""What the models of a run may take in memory."""

from __future__ import annotations

import os
from pathlib import Path

from textbatch.errors import BundleError, ConflictError, UsageError
from textbatch.options.byte_size import bytes_of

#: What the models of a run may take. With it a run stays below 512 MiB, libraries included.
MODEL_MEMORY = 320 << 20
_VARIABLE = "TEXTBATCH_MODEL_MEMORY"
_MIB = 1 << 20


def most_memory() -> int:
    """What the models of a run may take, in bytes.

    Raises:
        UsageError: The variable is no size.
    """
    text = os.environ.get(_VARIABLE, "")
    found = bytes_of(text) if text else MODEL_MEMORY
    if not found:
        raise UsageError(f"{_VARIABLE} is no size", "give one, such as 1G")
    return found


def check_memory(path: Path, needed: int, *, beside: int = 0) -> None:
    """Check that a model does not take too much memory.

    Args:
        path: Its directory.
        needed: What it takes, in bytes.
        beside: What the models that are loaded by now take.

    Raises:
        BundleError: It takes too much.
        UsageError: The variable is no size.
    """
    if needed + beside > (most := most_memory()):
        others = f" beside the {_mib(beside)} MiB of the models before it" if beside else ""
        raise BundleError(
            f"{path} takes about {_mib(needed)} MiB of memory{others}, more than the {_mib(most)} "
            "MiB that the models of a run may take",
            f"if you trust it, set {_VARIABLE}={_mib(needed + beside)}M",
        )


def check_made(needed: int) -> None:
    """Check that a model which is about to be made can be loaded.

    Args:
        needed: What it takes, in bytes.

    Raises:
        ConflictError: It takes too much.
        UsageError: The variable is no size.
    """
    if told := told_too_large(needed):
        what, remedy = told.split("; ", 1)
        raise ConflictError(what, f"take fewer words or narrower layers, or {remedy}")


def told_too_large(needed: int) -> str | None:
    """Tell that a model would be refused by `score`; None if it would not.

    Args:
        needed: What it takes, in bytes.
    """
    if needed <= (most := most_memory()):
        return None
    return (
        f"the model takes about {_mib(needed)} MiB of memory, more than the {_mib(most)} MiB that "
        f"`score` allows; set {_VARIABLE}={_mib(needed)}M here and where it is read"
    )


def _mib(size: int) -> int:
    return -(-size // _MIB)
