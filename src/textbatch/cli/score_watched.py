"""A scoring run with all that watches it: log, metrics, lineage, page."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from textbatch.cli.console import event, progress, say
from textbatch.data.storage.location import is_local, local, local_only, resolved
from textbatch.errors import ConflictError, redacted
from textbatch.integrations.openlineage import Traced, traced
from textbatch.integrations.prometheus import failure_measured, write_success
from textbatch.report.files import write_whole
from textbatch.report.scoring import RunReport
from textbatch.report.terminal.progress import Recorder
from textbatch.scoring.config import ScoreConfig


def short_id(run: UUID) -> str:
    """A run's id as reports and footers show it; the lineage's begins with it."""
    return run.hex[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchers:
    """A scoring run, and the files that tell of it beside its report.

    Attributes:
        config: The run.
        metrics_file: `.prom` file for Prometheus, written on failure too.
        html: HTML file for a page about the run.

    Raises:
        ConflictError: A file has another use.
        TextbatchError: Another subclass, where the page cannot be written.
    """

    config: ScoreConfig
    metrics_file: Path | None = None
    html: Path | None = None

    def __post_init__(self) -> None:
        config = self.config
        used = [*config.inputs, config.output, config.report, config.quarantine]
        taken = {resolved(path) for path in used if path}
        if self.html:
            local_only(self.html, "--html")
        for flag, path in (("--metrics-file", self.metrics_file), ("--html", self.html)):
            if path and path.resolve() in taken:
                raise ConflictError(
                    f"{flag} names a file that has another use, {path}", "give it one of its own"
                )
            taken |= {path.resolve()} if path else set()
        if self.html:
            from textbatch.report.html.evaluation_page import check_page

            here = [local(path) for path in config.inputs if is_local(path)]
            model = local(config.model) if is_local(config.model) else None
            check_page(self.html, here, model)


def score_watched(watchers: Watchers, run: UUID) -> RunReport:
    """Score, and tell everybody who asked.

    Raises:
        TextbatchError: As `score` does; or what was asked for cannot be written.
    """
    from textbatch.scoring.score import score

    config = watchers.config
    about = Traced(
        run=run,
        job="textbatch.score",
        inputs=tuple(map(os.fspath, (*config.inputs, config.model))),
        output=os.fspath(config.output),
    )
    paths = {
        "input": " ".join(map(os.fspath, config.inputs)),
        "output": os.fspath(config.output),
        "model": os.fspath(config.model),
    }
    event("started", {what: redacted(path) for what, path in paths.items()})
    recorder = Recorder(progress())
    tracing = nullcontext() if config.dry_run else traced(about, say)
    with failure_measured(watchers.metrics_file), tracing as lineage:
        try:
            done = score(config, progress=recorder, run_id=short_id(run))
        finally:
            recorder.end()
        if watchers.html and done.state == "done":
            from textbatch.report.html.run_page import run_page

            write_whole(watchers.html, run_page(done, recorder.samples))
        if watchers.metrics_file and done.state != "planned":
            write_success(watchers.metrics_file, done)
        if lineage:
            lineage.completed(done)
    for note in done.notes:
        say(note)
    event("finished", done.to_dict())
    return done
