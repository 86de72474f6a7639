"""Sends OpenLineage events, if its client is configured. If they fail, the job does not fail."""

from __future__ import annotations

import logging
import os
import queue
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from textbatch import __version__
from textbatch.errors import TextbatchError
from textbatch.report.scoring import RunReport

#: How long the end of a run waits for its events, in seconds; and after a signal.
_PATIENCE_SECONDS, _HURRIED_SECONDS = 5.0, 1.5
_PRODUCER = f"https://pypi.org/project/textbatch/{__version__}"
_CONFIG_FILES = (Path("openlineage.yml"), Path("~/.openlineage/openlineage.yml"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """What the events are about.

    Attributes:
        run: Id of the run.
        job: Name of the job.
        inputs: Paths or URIs that it reads.
        output: Path or URI that it writes.
    """

    run: UUID
    job: str
    inputs: tuple[str, ...]
    output: str


class Lineage:
    """Sends the events of a run from a thread of its own, so that a slow server delays nothing.

    Args:
        about: What the events are about.
        warn: Called with a warning if the events could not be sent.
    """

    def __init__(self, about: Traced, warn: Callable[[str], None]) -> None:
        self._about, self._warn = about, warn
        self._events: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
        self._trouble = ""
        self._thread = threading.Thread(target=self._send, name="textbatch-lineage", daemon=True)
        self._thread.start()

    def started(self) -> None:
        """Send that the run begins."""
        self._put("START")

    def completed(self, report: RunReport) -> None:
        """Send that the run ended well."""
        self._put("COMPLETE", rows_in=report.rows_in, rows_out=report.rows_out)
        self._close(_PATIENCE_SECONDS)

    def failed(self, error: BaseException) -> None:
        """Send that the run failed."""
        # The text of a foreign error is not sent, because it may quote a cell.
        told = str(error) if isinstance(error, TextbatchError) else type(error).__name__
        self._put("FAIL", error=told)
        hurried = not isinstance(error, Exception)
        self._close(_HURRIED_SECONDS if hurried else _PATIENCE_SECONDS)

    def _put(self, state: str, **facts: Any) -> None:  # noqa: ANN401 - see `_event`
        self._events.put({"state": state, "time": datetime.now(UTC).isoformat(), **facts})

    def _close(self, seconds: float) -> None:
        self._events.put(None)
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._trouble = f"no answer in {seconds:g} s"
        if self._trouble:
            self._warn(f"warning: the run was not reported to OpenLineage ({self._trouble})")

    def _send(self) -> None:
        try:
            import openlineage.client  # noqa: F401
        except ImportError:
            self._trouble = "its client is missing; pip install 'textbatch[openlineage]'"
            return
        try:
            client = _client()
            while (facts := self._events.get()) is not None:
                client.emit(_event(self._about, facts))
            client.close(_PATIENCE_SECONDS)
        except Exception as error:
            # Whatever a transport raises, the job must continue.
            self._trouble = type(error).__name__


@contextmanager
def traced(about: Traced, warn: Callable[[str], None]) -> Iterator[Lineage | None]:
    """Send START, and FAIL if the body fails. The body itself calls `completed`.

    Args:
        about: What the events are about.
        warn: Called with a warning if the events could not be sent.

    Yields:
        What sends the events; None if OpenLineage is not configured.
    """
    if not _configured():
        yield None
        return
    lineage = Lineage(about, warn)
    lineage.started()
    try:
        yield lineage
    except BaseException as error:
        lineage.failed(error)
        raise


def _configured() -> bool:
    if os.environ.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true":
        return False
    named = any(
        name in ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG")
        or name.startswith("OPENLINEAGE__TRANSPORT")
        for name in os.environ
    )
    return named or any(os.path.isfile(os.path.expanduser(file)) for file in _CONFIG_FILES)  # noqa: PTH111, PTH113 - Path's need a home


def _client() -> Any:  # noqa: ANN401 - known when it is imported
    for name in ("openlineage", "urllib3"):
        # Their messages about retries would be among the messages of the job.
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False
    from openlineage.client import OpenLineageClient

    return OpenLineageClient()


def _event(about: Traced, facts: Mapping[str, Any]) -> Any:  # noqa: ANN401
    from openlineage.client import event_v2 as events
    from openlineage.client import facet_v2 as facets

    of_run: dict[str, Any] = {
        "processing_engine": facets.processing_engine_run.ProcessingEngineRunFacet(
            version=__version__, name="textbatch"
        )
    }
    if parent := _parent():
        of_run["parent"] = parent
    if "error" in facts:
        of_run["errorMessage"] = facets.error_message_run.ErrorMessageRunFacet(
            message=facts["error"], programmingLanguage="python"
        )
    of_output: dict[str, Any] = {}
    if "rows_out" in facts:
        of_output["outputStatistics"] = (
            facets.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
                rowCount=facts["rows_out"]
            )
        )
    of_job: dict[str, Any] = {
        "jobType": facets.job_type_job.JobTypeJobFacet(
            processingType="BATCH", integration="TEXTBATCH", jobType="JOB"
        )
    }
    return events.RunEvent(
        eventType=events.RunState[facts["state"]],
        eventTime=facts["time"],
        producer=_PRODUCER,
        run=events.Run(runId=str(about.run), facets=of_run),
        job=events.Job(
            namespace=os.environ.get("OPENLINEAGE_NAMESPACE") or "default",
            name=about.job,
            facets=of_job,
        ),
        inputs=[events.InputDataset(*_dataset(address)) for address in about.inputs],
        outputs=[events.OutputDataset(*_dataset(about.output), outputFacets=of_output)],
    )


def _parent() -> Any:  # noqa: ANN401
    """The run that this one is part of. Schedulers pass it as `namespace/job/run`."""
    from openlineage.client.facet_v2 import parent_run

    found = re.fullmatch(
        r"(.+)/([^/]+)/([0-9a-fA-F-]{36})", os.environ.get("OPENLINEAGE_PARENT_ID", "")
    )
    if not found:
        return None
    return parent_run.ParentRunFacet(
        run=parent_run.Run(runId=found[3]),
        job=parent_run.Job(namespace=found[1], name=found[2]),
    )


def _dataset(address: str) -> tuple[str, str]:
    """Namespace and name of a path or URI, by OpenLineage's naming conventions."""
    remote = re.fullmatch(r"(\w+):/{1,2}([^/]+)/(.*)", address)
    if remote:
        return f"{remote[1]}://{remote[2]}", remote[3]
    return "file", os.path.realpath(address)
