"""Tries calls of an object store again, with jitter; each attempt has a deadline."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from textbatch.data.storage.failures import classified
from textbatch.data.storage.location import RemotePath
from textbatch.errors import TextbatchError, TryAgainError, UsageError

_Result = TypeVar("_Result")

#: Until the store counts as not answering a request. `TEXTBATCH_REQUEST_SECONDS` can change it.
REQUEST_SECONDS = 60.0
#: A connection that is slower than this, in bytes a second, counts as none.
SLOWEST = 32 << 10

#: How long one call is tried again. `TEXTBATCH_RETRY_SECONDS` can change it.
RETRY_SECONDS = 120.0
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 20.0


def retry_seconds() -> float:
    """How long one call is tried again, in seconds.

    Raises:
        UsageError: The variable is not a number.
    """
    return _seconds("TEXTBATCH_RETRY_SECONDS", RETRY_SECONDS)


def request_seconds() -> float:
    """How long one request may take, in seconds.

    Raises:
        UsageError: The variable is not a number.
    """
    return _seconds("TEXTBATCH_REQUEST_SECONDS", REQUEST_SECONDS)


def deadline_seconds(size: int = 0) -> float:
    """How long one call may take, in seconds; `size` is what it moves, in bytes."""
    # Twice: the limits of the libraries come first, whose errors say more.
    return 2 * request_seconds() + size / SLOWEST


def _seconds(variable: str, default: float) -> float:
    text = os.environ.get(variable, "")
    try:
        found = float(text) if text else default
    except ValueError:
        found = -1.0
    if not 0 <= found < threading.TIMEOUT_MAX:
        raise UsageError(f"{variable} is no number of seconds", "give one, such as 60")
    return found


def retried(
    call: Callable[[], _Result], path: RemotePath, action: str, *, size: int = 0
) -> _Result:
    """Call an object store until it answers.

    Args:
        call: The call. It must do the same each time.
        path: The object, for messages.
        action: What is being done, such as "cannot read".
        size: How many bytes the call moves, for its deadline.

    Raises:
        InputNotFoundError: There is no such object or bucket.
        AccessError: Credentials are missing or wrong, or do not allow it.
        TryAgainError: The store failed for too long.
    """
    until = time.monotonic() + retry_seconds()
    wait = _FIRST_WAIT
    while True:
        try:
            return _within(deadline_seconds(size), call)
        except (TextbatchError, MemoryError):
            raise
        except Exception as error:
            # The text of a foreign error is not passed on: it may hold a signed URL.
            failure = classified(error, path, action)
            pause = random.uniform(0, wait)
            if not isinstance(failure, TryAgainError) or time.monotonic() + pause > until:
                raise failure from error
        time.sleep(pause)
        wait = min(2 * wait, _LONGEST_WAIT)


def _within(seconds: float, call: Callable[[], _Result]) -> _Result:
    """Call, and wait no longer than that.

    The limits of the libraries are for each piece that a server sends: one that sends a byte now
    and then would hold a job for ever. The call that is given up goes on in its thread, which ends
    with the process.
    """
    results: list[_Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # raised where it is waited for
            errors.append(error)

    thread = threading.Thread(target=run, name="textbatch-request", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if results:
        return results[0]
    raise TimeoutError
