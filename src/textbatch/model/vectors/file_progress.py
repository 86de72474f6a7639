"""How far a library has read a file that it tells nothing about, as the kernel knows it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_DESCRIPTORS = Path("/proc/self/fd")
_SECONDS = 0.5


class ReadingAlong:
    """Looks twice a second how far this process has read a file, in a thread of its own.

    Where the system has no `/proc`, it tells nothing.

    Args:
        path: The file.
        tell: Told the share read, 0 to 1, while the file is open.
    """

    def __init__(self, path: Path, tell: Callable[[float], None]) -> None:
        self._path, self._tell = path.resolve(), tell
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.name = "textbatch-reading"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_SECONDS):
            # Any file may be closed between two looks at it.
            with suppress(OSError):
                share = _share_read(self._path)
                if share is not None:
                    self._tell(share)


def _share_read(path: Path) -> float | None:
    """Position over size of the first open descriptor of a file; None where it is not open."""
    for descriptor in _DESCRIPTORS.iterdir():
        with suppress(FileNotFoundError):
            if descriptor.readlink() == path:
                told = Path(f"/proc/self/fdinfo/{descriptor.name}").read_text("ascii")
                return int(told.split()[1]) / max(1, path.stat().st_size)
    return None
