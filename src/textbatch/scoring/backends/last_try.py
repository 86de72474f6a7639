"""A last try alone for tasks whose workers died beside others.

When a worker of a cluster dies, the engine may count the death against all that waited or ran
there: a task that does no harm is blamed with the one that kills. So each is begun once more at the
end, when nothing else runs. The others need not wait for that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path

from textbatch.scoring.backends.port import Backend, Outcome, resumed
from textbatch.scoring.file_task import FileTask

#: So many get a last try. Where more die, it is no single task's fault, and one at a time would
#: take for ever.
_MOST = 16


class LastTryAlone:
    """A backend whose tasks fail only after they have had the workers for themselves.

    Attributes:
        width: How many tasks it works on at the same time, and those that wait for their last try.
    """

    def __init__(self, inner: Backend) -> None:
        """Nothing is submitted yet.

        Args:
            inner: The workers of a cluster.
        """
        self._inner = inner
        self._given: dict[Path, FileTask] = {}
        #: Those that have run beside another one.
        self._beside: set[Path] = set()
        self._suspects: deque[FileTask] = deque()
        self._seen = 0

    @property
    def width(self) -> int:
        """So many may be submitted."""
        return self._inner.width + len(self._suspects)

    def submit(self, task: FileTask) -> None:
        """Hand a task on."""
        self._given[task.output.absolute()] = task
        if len(self._given) > 1:
            self._beside.update(self._given)
        self._inner.submit(task)

    def as_completed(self) -> Iterator[Outcome]:
        """Yield what came of the tasks; at the end of those whose workers died."""
        while self._given or self._suspects:
            for outcome in self._inner.as_completed():
                place = outcome.task.output.absolute()
                task = self._given.pop(place)
                blamed = outcome.alone and place in self._beside and self._seen < _MOST
                self._beside.discard(place)
                if blamed:
                    self._seen += 1
                    self._suspects.append(resumed(task))
                else:
                    yield outcome
            # What the caller has submitted since comes first.
            if self._suspects and not self._given:
                self.submit(self._suspects.popleft())

    def close(self) -> None:
        """End the workers at once."""
        self._inner.close()
