"""How much of a file another library has read, which only the kernel knows."""

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
    """Looks twice a second how much of a file this process has read, in a thread of its own.

    Without `/proc` it reports nothing.

    Args:
        path: The file.
        on_share: Called with the share that is read, 0 to 1, while the file is open.
    """

    def __init__(self, path: Path, on_share: Callable[[float], None]) -> None:
        self._path, self._on_share = path.resolve(), on_share
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
            # The file may be closed at any moment.
            with suppress(OSError):
                share = _share_read(self._path)
                if share is not None:
                    self._on_share(share)


def _share_read(path: Path) -> float | None:
    """Position divided by size, of the first open descriptor of a file; None if it is not open."""
    for descriptor in _DESCRIPTORS.iterdir():
        with suppress(FileNotFoundError):
            if descriptor.readlink() == path:
                told = Path(f"/proc/self/fdinfo/{descriptor.name}").read_text("ascii")
                return int(told.split()[1]) / max(1, path.stat().st_size)
    return None
