"""The standard streams: open, able to take any character, and no reason to lose a job."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: The signs in our tables and lines, and what replaces them in ASCII.
_PLAIN = {"→": ">", "↓": "v", "×": "x", "–": "-", "…": "~", "±": "+/-"}
_ERRORS = "textbatch.plainer"


def mend_streams() -> None:
    """Make sure that the streams are there, and that messages cannot fail the process.

    This comes before anything else is opened: a new file would get the number of a closed stream.
    """
    _open_closed()
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - open to the end
    if sys.stdout is None:
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - open to the end
    codecs.register_error(_ERRORS, _plainer)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=_ERRORS)
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_Messages(2, "w", closefd=False)),
        encoding=encoding,
        errors=_ERRORS,
        line_buffering=True,
    )


def drop_stdout() -> None:
    """Give up stdout. Otherwise Python would try at its end to write what is left, and fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def flush_stdout() -> None:
    """Write what is left, as far as stdout takes it: the exit code is decided already."""
    try:
        sys.stdout.flush()
    except OSError:
        drop_stdout()


class _Messages(io.FileIO):
    """The raw stderr. A message that it does not take is lost; the job goes on."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write bytes. Return how many count as written."""
        try:
            written = super().write(data)
        except OSError:
            written = None
        # None as well if nobody reads a pipe that does not wait.
        return memoryview(data).nbytes if written is None else written


def _open_closed() -> None:
    inheritable = True
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # It gets the lowest number that is free, which is this one. Child processes get it too.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), inheritable)


def _plainer(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that the encoding of a stream lacks, by an ASCII sign or an escape."""
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    escaped = (c.encode("ascii", "backslashreplace").decode() for c in lacking)
    return "".join(map(_PLAIN.get, lacking, escaped)), error.end
