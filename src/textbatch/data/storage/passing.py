"""Files and folders that are there only while something is made.

A `with` block removes them, also after an error. Where the process must end at once, in native code
that hears of no signal, no `with` block ends any more: then `remove_passing` does it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_there: dict[str, None] = {}


@contextmanager
def passing_folder(prefix: str = "textbatch-") -> Iterator[Path]:
    """A new folder in the system's place for temporary files, which goes with the `with` block.

    Args:
        prefix: What its name begins with.

    Yields:
        The folder, which only its owner can read.

    Raises:
        OSError: It cannot be made.
    """
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
        begin_passing(folder)
        try:
            yield Path(folder)
        finally:
            end_passing(folder)


def begin_passing(path: str | Path) -> None:
    """Note a file or folder that must not stay where the process ends at once."""
    _there[os.fspath(path)] = None


def end_passing(path: str | Path) -> None:
    """Forget it, since it is removed, or about to get its final name."""
    _there.pop(os.fspath(path), None)


def remove_passing() -> None:
    """Remove what is noted, as far as that goes. The process must end after it."""
    for path in list(_there):
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - no lock and no object more than needed
            continue
        shutil.rmtree(path, ignore_errors=True)
