"""A scoring run with its log, metrics, lineage and page."""

from __future__ import annotations

import os
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING
from uuid import UUID

from textbatch.cli.command import short_id
from textbatch.cli.console import event, log, progress
from textbatch.cli.score_options import ScoreCommand
from textbatch.data.storage.file_io import new_output
from textbatch.errors import require_extra
from textbatch.integrations.openlineage import Traced, traced
from textbatch.integrations.prometheus import failure_measured, write_success
from textbatch.report.files import only_warned, write_whole
from textbatch.report.scoring import RunReport
from textbatch.report.terminal.recorder import Recorder

if TYPE_CHECKING:
    from textbatch.scoring.score import Scored


def score_watched(config: ScoreCommand, run: UUID) -> RunReport:
    """Score, and write everything about the run that was asked for.

    Args:
        config: What to score, and what to write.
        run: Id of the run.

    Raises:
        TextbatchError: Scoring failed. What cannot be written afterwards is told in the notes.
    """
    if config.html:  # a run must not end for lack of its page
        require_extra("--html", "html")
        new_output(config.html).remove_leftovers()
    from textbatch.scoring.score import scored

    about = Traced(
        run=run,
        job="textbatch.score",
        inputs=tuple(map(os.fspath, (*config.inputs, *(one.place for one in config.models)))),
        output=os.fspath(config.output),
    )
    paths = {
        "input": " ".join(map(os.fspath, config.inputs)),
        "output": os.fspath(config.output),
        "model": str(config.model),
    }
    event("started", paths)
    recorder = Recorder(progress())
    tracing = nullcontext() if config.dry_run else traced(about, log)
    running = scored(config, progress=recorder, run_id=short_id(run))
    with ExitStack() as opened:
        opened.enter_context(failure_measured(config.metrics_file))
        lineage = opened.enter_context(tracing)
        try:
            found = opened.enter_context(running)
        finally:
            recorder.end()
        done = found.report
        _write_beside(config, found, recorder)
        if lineage:
            with only_warned("the lineage", done.notes.append):
                lineage.completed(done)
    for note in done.notes:
        log(note)
    event("finished", done.to_dict())
    return done


def _write_beside(config: ScoreCommand, found: Scored, recorder: Recorder) -> None:
    """Write page and metrics."""
    done = found.report
    # A run that was killed when its output was done, and not yet its page, is skipped when it is
    # run again: the page is made then. One that is there is of the run that made the output.
    late = done.state == "skipped" and bool(done.rows_in)
    if config.html and (done.state == "done" or (late and not new_output(config.html).exists())):
        with only_warned(f"the page {config.html}", done.notes.append):
            from textbatch.report.html.run_page import run_page

            write_whole(config.html, run_page(done, recorder.samples, *found.profiles))
    if config.metrics_file and done.state != "planned":
        with only_warned(f"the metrics file {config.metrics_file}", done.notes.append):
            write_success(config.metrics_file, done)
