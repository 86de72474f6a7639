"""What can go wrong, and what a scheduler should make of it.

    TextbatchError                1   a bug, or anything without a class of its own
    ├── UsageError                2   one flag, file name or setting is wrong
    ├── ConflictError            64   flags that are right singly but contradict each other
    ├── DataError                65   the input is malformed
    ├── BundleError              66   the model bundle is missing, damaged or unsafe
    ├── TooManyBadRowsError      67   more undecodable rows than --max-bad-rows allows
    ├── InputNotFoundError       68   the input does not exist or matched nothing
    ├── QualityGateError         69   drift, baseline or accuracy gate failed
    ├── OutOfMemoryError         71   not enough memory at the smallest mini-batch
    ├── OutputError              73   the output exists or cannot be created
    ├── StorageError             74   disk full, I/O error
    ├── TryAgainError            75   locked or throttled: a later run may succeed
    └── AccessError              77   permission or credentials

130 and 143 (SIGINT, SIGTERM) follow the shell's convention. 99 is never used: Airflow reads it
as "skipped". Messages never quote cell content: texts are private.
"""

from __future__ import annotations

import errno
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager


class TextbatchError(Exception):
    """The base of every error that textbatch raises on purpose.

    Args:
        what: What is wrong, and where (file, row, column).
        remedy: What the reader can do about it.

    Attributes:
        exit_code: Of the process that ends with the error.
        retry: Whether the same command may succeed later.
    """

    exit_code = 1
    retry = False

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return redacted(f"{self.what}; {self.remedy}" if self.remedy else self.what)

    @property
    def title(self) -> str:
        """The class's name as the error line shows it: `DataError` → `Data`."""
        return type(self).__name__.removesuffix("Error")


class UsageError(TextbatchError):
    """One flag, file name or setting is wrong by itself."""

    exit_code = 2


class MissingExtraError(UsageError):
    """A library that the command needs is not installed.

    Args:
        what: The command or option.
        library: What it needs.
        extra: The extra of textbatch that brings it.
    """

    def __init__(self, what: str, library: str, extra: str) -> None:
        super().__init__(
            f"{what} needs {library}, which is not installed", f"pip install 'textbatch[{extra}]'"
        )

    @property
    def title(self) -> str:
        """That of its class of errors: scripts look for it."""
        return "Usage"


class ConflictError(TextbatchError):
    """Flags that are right singly but contradict each other, or this machine."""

    exit_code = 64


class DataError(TextbatchError):
    """The input is malformed."""

    exit_code = 65


class BundleError(TextbatchError):
    """The model bundle is missing, damaged or unsafe."""

    exit_code = 66


class TooManyBadRowsError(TextbatchError):
    """More rows were undecodable than the caller allowed."""

    exit_code = 67


class InputNotFoundError(TextbatchError):
    """The input does not exist, or the pattern matched nothing."""

    exit_code = 68


class QualityGateError(TextbatchError):
    """A quality gate that the caller asked for has failed."""

    exit_code = 69


class OutOfMemoryError(TextbatchError):
    """Not enough memory, even at the smallest mini-batch."""

    exit_code = 71


class OutputError(TextbatchError):
    """The output exists already or cannot be created."""

    exit_code = 73


class StorageError(TextbatchError):
    """The storage failed: disk full, quota, I/O error."""

    exit_code = 74
    retry = True


class TryAgainError(TextbatchError):
    """Locked or throttled: the same command may succeed later."""

    exit_code = 75
    retry = True


class AccessError(TextbatchError):
    """Permission or credentials are missing."""

    exit_code = 77


class TerminatedError(BaseException):
    """SIGTERM came. No `Exception`, so that cleaning up is all that happens on the way out."""

    exit_code = 128 + signal.SIGTERM


class InterruptError(KeyboardInterrupt):
    """SIGINT came. A class of its own, caught as KeyboardInterrupt is.

    Where that one itself has crossed code compiled on the way, `python -m` ends by the signal
    instead of with an exit code (`run_eval_code_obj` in CPython compares the class).
    """


def exit_code_of(error: BaseException) -> int:
    """The exit code of a process that ends with an error."""
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT
    if isinstance(error, TextbatchError | TerminatedError):
        return error.exit_code
    return 1


def final_exit_codes() -> tuple[int, ...]:
    """The exit codes after which the same command would only fail again, in order."""
    kinds: list[type[TextbatchError]] = [TextbatchError, *TextbatchError.__subclasses__()]
    return tuple(sorted(kind.exit_code for kind in kinds if not kind.retry))


#: User and password, and the query, of a URI; `Path` leaves it one slash.
_SECRETS = re.compile(r"(?<=:/)(/?)[^/@\s]+@|(?<=\?)[^\s:;,]+(?=[\s:;,]|$)")


def redacted(text: str) -> str:
    """Take the credentials out of the URIs in a text: user info and queries."""
    if ":/" not in text:
        return text
    return _SECRETS.sub(lambda found: f"{found[1]}***@" if found[1] is not None else "***", text)


def printable(text: str) -> str:
    """Escape control characters: names and labels must not move a terminal's cursor."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


@contextmanager
def storage_errors(
    path: os.PathLike[str], action: str, *, missing: type[TextbatchError] = InputNotFoundError
) -> Iterator[None]:
    """Give operating system errors about `path` their class and exit code.

    Args:
        path: The file or directory being read or written.
        action: What was being done, as in "cannot write".
        missing: What to raise where the path, or its directory, does not exist.

    Raises:
        InputNotFoundError: The path does not exist; or what `missing` says.
        AccessError: Permission denied or read-only file system.
        OutOfMemoryError: The system refused memory.
        StorageError: Any other operating system error (ENOSPC, EIO, EDQUOT, …).
    """
    try:
        yield
    except OSError as error:
        # Only the system's own words are passed on: Arrow raises OSError too, with rows in it.
        reason = _strerror(error)
        what = f"{action} {os.fspath(path)}: {reason}"
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise missing(what, "check the path") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise AccessError(what, "check the permissions") from error
        if error.errno == errno.ENOMEM:
            raise OutOfMemoryError(what, "use a smaller --chunk-rows") from error
        raise StorageError(what, "free space or check the device, then run again") from error


def _strerror(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else "input/output error"


def require(flag: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside its bounds.

    Raises:
        UsageError: It is.
    """
    # Written so that NaN fails as well.
    if not low <= value <= high:
        raise UsageError(f"{flag} is {value}, outside {low} to {high}", f"give {flag} in range")
