"""Tries calls of an object store again, with jitter, and gives their failures a class."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable
from typing import TypeVar

import pyarrow as pa

from textbatch.data.storage.location import RemotePath
from textbatch.errors import (
    AccessError,
    InputNotFoundError,
    TextbatchError,
    TryAgainError,
    UsageError,
)

_Result = TypeVar("_Result")

#: How long one call is tried again. `TEXTBATCH_RETRY_SECONDS` can change it.
RETRY_SECONDS = 120.0
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 20.0

# Arrow gives the errors of S3 only as text, botocore as a code.
_MISSING = re.compile(r"NO_SUCH_(KEY|BUCKET)|NoSuch(Key|Bucket)|RESOURCE_NOT_FOUND|\b404\b")
_DENIED = re.compile(
    r"ACCESS_DENIED|AccessDenied|Forbidden|INVALID_ACCESS_KEY|InvalidAccessKey|SIGNATURE_DOES"
    r"|SignatureDoes|ExpiredToken|EXPIRED_TOKEN|InvalidToken|NoCredentials|Unauthorized|\b40[13]\b"
    r"|AuthenticationFail|AuthorizationFail|AuthorizationPermission"  # Azure's
    r"|OAuth2 access token"  # Google's, where Arrow has looked for credentials in vain
)


def retry_seconds() -> float:
    """How long one call is tried again, in seconds.

    Raises:
        UsageError: The variable is not a number.
    """
    text = os.environ.get("TEXTBATCH_RETRY_SECONDS", "")
    try:
        return float(text) if text else RETRY_SECONDS
    except ValueError:
        raise UsageError("TEXTBATCH_RETRY_SECONDS is no number", "give seconds") from None


def retried(call: Callable[[], _Result], path: RemotePath, action: str) -> _Result:
    """Call an object store until it answers.

    Args:
        call: The call. It must do the same each time.
        path: The object, for messages.
        action: What is being done, such as "cannot read".

    Raises:
        InputNotFoundError: There is no such object or bucket.
        AccessError: Credentials are missing or wrong, or do not allow it.
        TryAgainError: The store failed for too long.
    """
    until = time.monotonic() + retry_seconds()
    wait = _FIRST_WAIT
    while True:
        try:
            return call()
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


def classified(error: Exception, path: RemotePath, action: str) -> TextbatchError:
    """Give a failure of an object store its class.

    Args:
        error: What the library raised.
        path: The object, for the message.
        action: What was being done, such as "cannot read".
    """
    # Without the parts in quotes, because a key may be named 404.
    told = re.sub(r"'[^']*'", "", f"{type(error).__name__} {error}")
    if isinstance(error, FileNotFoundError) or _MISSING.search(told):
        return InputNotFoundError(f"{action} {path}: there is no such object", "check the path")
    if isinstance(error, PermissionError) or _DENIED.search(told):
        return AccessError(
            f"{action} {path}: access denied", "check the credentials and what they allow"
        )
    if isinstance(error, pa.ArrowInvalid):
        return UsageError(
            f"{action} {path}: that is no address in a store",
            "check it; credentials belong into the environment, not into the path",
        )
    # fsspec raises ValueError for a scheme that it does not know.
    if isinstance(error, ImportError | NotImplementedError | ValueError):
        return UsageError(
            f"{action} {path}: {path.scheme}:// is not known, or needs a package",
            "install textbatch with the extra s3, gcs, azure or hf",
        )
    return TryAgainError(
        f"{action} {path}: the store does not answer or fails ({type(error).__name__})",
        "run again later",
    )
