"""What runs inside the folds of a cross-validation, told from their processes to this one."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from textbatch.data.storage.passing import passing_folder
from textbatch.report.listener import Listener

#: Seconds between two looks at the files.
_EVERY = 0.5
#: The longest text that is told, in characters, so that it fits into a bar.
_LONGEST = 30
_EPOCH = re.compile(r"epoch (\d+)")


class StepFile(Listener):
    """Writes the name of the step that a fold is in to a file. It can be sent to a process."""

    def __init__(self, path: Path) -> None:
        """Begin without a step.

        Args:
            path: The file.
        """
        self._path = path

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        """Write the step's name.

        Args:
            total_rows: Not told.
            step: Its name.
            unit: Not told.
        """
        # A fold does not fail for want of a place to tell its progress.
        with suppress(OSError):
            self._path.write_text(step, encoding="utf-8")

    def done(self) -> None:
        """The fold is over: nothing runs in it."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


@contextmanager
def steps_told(listener: Listener) -> Iterator[Path]:
    """Tell a listener what the folds are doing, until the `with` block ends.

    Args:
        listener: Its step is the cross-validation.

    Yields:
        The folder for a `StepFile` of each fold.
    """
    stop = threading.Event()
    with passing_folder("textbatch-folds-") as folder:

        def look() -> None:
            while not stop.wait(_EVERY):
                if told := _together(folder):
                    listener.inside(told)

        thread = threading.Thread(target=look, name="fold-progress", daemon=True)
        # A process takes seconds to import what it needs.
        listener.inside("starting")
        thread.start()
        try:
            yield folder
        finally:
            stop.set()
            thread.join()


def _together(folder: Path) -> str:
    """The steps of all folds in a few words: `epoch 3`, `epochs 3 to 5`, `word vectors`."""
    steps = set()
    for path in folder.iterdir():
        with suppress(OSError):
            steps.add(path.read_text(encoding="utf-8"))
    steps.discard("")
    epochs = sorted(int(found[1]) for step in steps if (found := _EPOCH.fullmatch(step)))
    told = sorted(step for step in steps if not _EPOCH.fullmatch(step))
    if epochs:
        last = "" if epochs[0] == epochs[-1] else f" to {epochs[-1]}"
        told.append(f"epoch{'s' if last else ''} {epochs[0]}{last}")
    text = " and ".join(told)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
