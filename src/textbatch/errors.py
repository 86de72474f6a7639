"""What can go wrong, and what a scheduler should make of it.

    TextbatchError                1   a bug, or anything without a class of its own
    ├── UsageError                2   one flag, file name or setting is wrong
    ├── ConflictError            64   flags that are right singly but contradict each other
    ├── DataError                65   the input is malformed
    ├── BundleError              66   the model bundle is missing, damaged or unsafe
    ├── TooManyBadRowsError      67   more undecodable rows than --max-bad-rows allows
    │   └── TooManyBadFilesError      more bad files than --max-bad-files allows, or no good one
    ├── InputNotFoundError       68   the input does not exist or matched nothing
    ├── QualityGateError         69   drift, baseline or accuracy gate failed
    ├── OutOfMemoryError         71   not enough memory at the smallest mini-batch
    │   └── StarvedError              too few file handles, threads or processes
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
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec


class TextbatchError(Exception):
    """The base class of every error that textbatch raises on purpose.

    Args:
        what: What is wrong, and where (file, row, column).
        remedy: What the user can do about it.

    Attributes:
        exit_code: Exit code of a process that ends with this error.
        retry: Whether the same command may succeed later.
    """

    exit_code = 1
    retry = False

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        # Names in it come from outside: one must not move a cursor, nor begin a line of a log.
        return bounded(printable(f"{self.what}; {self.remedy}" if self.remedy else self.what))

    @property
    def title(self) -> str:
        """The name of the class in the error line: `Data` for `DataError`."""
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


_PAGES = ("jinja2", "markupsafe", "matplotlib")
_TRAINING = (*_PAGES, "scipy", "sklearn", "pandas", "gensim", "keras")
#: What commands import of each extra; Keras finds its own backend.
EXTRAS = {
    "html": _PAGES,
    "train": _TRAINING,
    "tune": (*_TRAINING, "optuna"),
    "audit": (*_TRAINING, "cleanlab"),
    "keras": ("h5py", "scipy"),
}


def require_extra(what: str, extra: str) -> None:
    """Refuse to begin what would only fail later, for lack of a library.

    Args:
        what: The command or function.
        extra: The extra of textbatch that brings all it needs.

    Raises:
        MissingExtraError: One of the extra's libraries is not installed.
    """
    for library in EXTRAS[extra]:
        if find_spec(library) is None:
            raise MissingExtraError(what, library, extra)


class ConflictError(TextbatchError):
    """Flags that are right singly but contradict each other, or this machine."""

    exit_code = 64


class PlaceTakenError(ConflictError):
    """A place that is to be written has another use. It is found before a report is begun."""

    title = "Conflict"


class DataError(TextbatchError):
    """The input is malformed."""

    exit_code = 65


class BundleError(TextbatchError):
    """The model bundle is missing, damaged or unsafe."""

    exit_code = 66


class TooManyBadRowsError(TextbatchError):
    """More rows were undecodable than the caller allowed."""

    exit_code = 67


class TooManyBadFilesError(TooManyBadRowsError):
    """More input files of a job are malformed than the caller allowed."""


class InputNotFoundError(TextbatchError):
    """The input does not exist, or the pattern matched nothing."""

    exit_code = 68


class QualityGateError(TextbatchError):
    """A quality gate that the caller asked for has failed."""

    exit_code = 69


class OutOfMemoryError(TextbatchError):
    """Not enough memory, even at the smallest mini-batch."""

    exit_code = 71


class StarvedError(OutOfMemoryError):
    """The machine gives this process too few file handles, threads or processes."""


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
    """SIGTERM came. It is no `Exception`, so that on the way out nothing happens but clean-up."""

    exit_code = 128 + signal.SIGTERM


class InterruptError(KeyboardInterrupt):
    """SIGINT came. It is caught like KeyboardInterrupt.

    It has a class of its own because of CPython's `run_eval_code_obj`, which compares the class: a
    plain KeyboardInterrupt that has crossed code compiled at run time ends `python -m` by the
    signal, without an exit code.
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


#: The longest message, in characters, and what stays of its end, where the remedy is.
_LONGEST, _END = 2000, 500


def printable(text: str) -> str:
    """Escape control characters, so that names and labels cannot control a terminal.

    All that comes from outside is printed through it. It also escapes what is not seen or changes
    the direction of writing, and all separators but the plain blank.
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def bounded(text: str) -> str:
    """Cut the middle out of a message that is too long for a line."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - _END]} … {text[-_END:]}"


#: The system's errors about a name, rather than a device.
_NAMES = ("ENOENT", "ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP", "EEXIST")


@contextmanager
def storage_errors(
    path: object, action: str, *, missing: type[TextbatchError] = InputNotFoundError
) -> Iterator[None]:
    """Turn errors of the operating system into errors with a class and an exit code.

    Args:
        path: The file or directory that is read or written.
        action: What is being done, such as "cannot write".
        missing: The error for a path, or a directory of it, that does not exist.

    Raises:
        InputNotFoundError: No such file can be at the path. `missing` can name another error.
        AccessError: Permission denied or read-only file system.
        OutOfMemoryError: The system refused memory.
        StarvedError: Too many files are open.
        StorageError: Any other error of the operating system (ENOSPC, EIO, EDQUOT, …).
    """
    try:
        yield
    except OSError as error:
        # Only the text of the system is used. Arrow raises OSError too, with cells in its text.
        reason = os.strerror(error.errno) if error.errno else "input/output error"
        what = f"{action} {path}: {reason}"
        if errno.errorcode.get(error.errno or 0) in _NAMES:
            raise missing(what, "check the path") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise AccessError(what, "check the permissions") from error
        if error.errno == errno.ENOMEM:
            raise OutOfMemoryError(what, "`score` needs less with --chunk-rows 1000") from error
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise StarvedError(what, "raise `ulimit -n`") from error
        raise StorageError(what, "free space or check the device, then run again") from error


def require(flag: str, value: float, low: float, high: float) -> None:
    """Check that a number is within its bounds.

    Args:
        flag: The option, for the message.
        value: The number.
        low: Lower bound, allowed.
        high: Upper bound, allowed.

    Raises:
        UsageError: It is outside.
    """
    # In this form NaN fails too.
    if not low <= value <= high:
        raise UsageError(f"{flag} is {value}, outside {low} to {high}", f"give {flag} in range")
