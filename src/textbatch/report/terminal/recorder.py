"""Records how far a run was when, for its page."""

from __future__ import annotations

import time

from textbatch.report.listener import Listener


class Recorder(Listener):
    """Passes everything on, and records when how many rows were done."""

    def __init__(self, listener: Listener) -> None:
        """Wrap another listener.

        Args:
            listener: Gets everything.
        """
        self._listener = listener
        self._started, self._rows = time.monotonic(), 0
        #: Pairs of seconds since the beginning and rows done by then.
        self.samples: list[tuple[float, int]] = []

    def log(self, message: str) -> None:
        """Pass it on."""
        self._listener.log(message)

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """Start the clock at the first step."""
        if not self.samples:
            self._started = time.monotonic()
            self.samples.append((0.0, 0))
        self._listener.begin(total_rows, step=step, unit=unit)

    def advance(self, rows: int, share: float | None = None) -> None:
        """Record how far the run is."""
        self._rows += rows
        self.samples.append((time.monotonic() - self._started, self._rows))
        self._listener.advance(rows, share)

    def inside(self, what: str) -> None:
        """Pass it on."""
        self._listener.inside(what)

    def end(self) -> None:
        """Pass it on."""
        self._listener.end()
