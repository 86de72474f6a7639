"""A scoring run with its log, metrics, lineage and page."""

from __future__ import annotations

import os
from contextlib import nullcontext
from uuid import UUID

from textbatch.cli.command import short_id
from textbatch.cli.console import event, log, progress
from textbatch.cli.score_options import ScoreCommand
from textbatch.errors import require_extra
from textbatch.integrations.openlineage import Traced, traced
from textbatch.integrations.prometheus import failure_measured, write_success
from textbatch.report.files import write_whole
from textbatch.report.scoring import RunReport
from textbatch.report.terminal.progress import Recorder


def score_watched(config: ScoreCommand, run: UUID) -> RunReport:
    """Score, and write everything about the run that was asked for.

    Args:
        config: What to score, and what to write.
        run: Id of the run.

    Raises:
        TextbatchError: Scoring failed, or something that was asked for cannot be written.
    """
    if config.html:  # a run must not end for lack of its page
        require_extra("--html", "html")
    from textbatch.scoring.score import score_and_profile

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
    event("started", paths)
    recorder = Recorder(progress())
    tracing = nullcontext() if config.dry_run else traced(about, log)
    with failure_measured(config.metrics_file), tracing as lineage:
        try:
            scored = score_and_profile(config, progress=recorder, run_id=short_id(run))
        finally:
            recorder.end()
        done = scored.report
        if config.html and done.state == "done":
            from textbatch.report.html.run_page import run_page

            write_whole(config.html, run_page(done, recorder.samples, scored.profile))
        if config.metrics_file and done.state != "planned":
            write_success(config.metrics_file, done)
        if lineage:
            lineage.completed(done)
    for note in done.notes:
        log(note)
    event("finished", done.to_dict())
    return done
