"""A scoring run with all that watches it: log, metrics, lineage, page."""

from __future__ import annotations

import os
from contextlib import nullcontext
from uuid import UUID

from textbatch.cli.console import event, progress, say
from textbatch.config import ScoreConfig
from textbatch.errors import redacted
from textbatch.integrations.lineage import Traced, traced
from textbatch.integrations.prometheus import failure_measured, write_success
from textbatch.report.progress import Recorder
from textbatch.report.run import RunReport, write_whole


def short_id(run: UUID) -> str:
    """A run's id as reports and footers show it; the lineage's begins with it."""
    return run.hex[:16]


def check_page_place(config: ScoreConfig) -> None:
    """Check before the work that the page can be written.

    Raises:
        TextbatchError: A subclass says why not.
    """
    if config.html:
        from textbatch.picturing import check_page

        check_page(config.html, (config.input,), config.model)


def score_watched(config: ScoreConfig, run: UUID) -> RunReport:
    """Score, and tell everybody who asked.

    Raises:
        TextbatchError: As `score` does; or what was asked for cannot be written.
    """
    from textbatch.scoring import score

    about = Traced(
        run=run,
        job="textbatch.score",
        inputs=(os.fspath(config.input), os.fspath(config.model)),
        output=os.fspath(config.output),
    )
    paths = {"input": config.input, "output": config.output, "model": config.model}
    event("started", {what: redacted(os.fspath(path)) for what, path in paths.items()})
    recorder = Recorder(progress())
    tracing = nullcontext() if config.dry_run else traced(about, say)
    with failure_measured(config.metrics_file), tracing as lineage:
        try:
            done = score(config, progress=recorder, run_id=short_id(run))
        finally:
            recorder.end()
        if config.html and done.state == "done":
            from textbatch.report.run_page import run_page

            write_whole(config.html, run_page(done, recorder.samples))
        if config.metrics_file and done.state != "planned":
            write_success(config.metrics_file, done)
        if lineage:
            lineage.completed(done)
    for note in done.notes:
        say(note)
    event("finished", done.to_dict())
    return done
