"""The path of `diff`: two sides, brought together row by row and counted."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from textbatch.data.storage.file_io import exists, is_folder, new_output
from textbatch.data.storage.location import Location
from textbatch.errors import BundleError, ConflictError, require_extra
from textbatch.model.bundle.releases import find_releases
from textbatch.model.layout import LAYOUT
from textbatch.report.diffing import DiffReport
from textbatch.report.files import job_reported, only_warned, write_json, write_whole
from textbatch.report.listener import SILENT
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.scoring.diff.examples import WorstFlips
from textbatch.scoring.diff.findings import Counted, report_of
from textbatch.scoring.diff.models import answered
from textbatch.scoring.diff.options import DiffConfig
from textbatch.scoring.diff.outputs import OutputPair
from textbatch.scoring.diff.quoted import with_cells
from textbatch.scoring.diff.remarks import remarks_on
from textbatch.scoring.diff.tally import Tally

_STEP = "comparing"


def diff(
    config: DiffConfig,
    *,
    progress: Progress | None = None,
    compared: Callable[[DiffReport], None] = lambda _: None,
    warn: Callable[[str], None] = lambda _: None,
) -> DiffReport:
    """Compare two outputs row by row, or two models on labelled rows.

    Outputs are read as streams: memory does not grow with their rows.

    Args:
        config: The two sides, and how their rows are matched.
        progress: Called as rows are read.
        compared: Gets the report before `--fail-if-flips` can fail.
        warn: Gets what is wrong with the report or the page.

    Returns:
        What has changed.

    Raises:
        QualityGateError: More rows have another label than `--fail-if-flips` allows.
        InputNotFoundError: A side is not there.
        DataError: A side is no complete output, or the rows are not the same.
        BundleError: A model is missing or damaged.
        ConflictError: A model is compared with an output.
    """
    report: dict[str, Any] = {"old": {"path": str(config.old)}, "new": {"path": str(config.new)}}
    with job_reported(config, lambda: report):
        if config.html:
            require_extra("diff --html", "html")
            new_output(config.html).check(stream=True)
        done = _compared(config, progress or SILENT)
        limit = config.limit
        failed = limit is not None and limit.exceeded(done.flips, rows=done.rows)
        done = replace(done, fail_if_flips=limit.text if limit else None, failed=failed)
        report = done.to_dict()
        if config.html:
            from textbatch.report.html.diff_page import diff_page

            with only_warned(f"the page {config.html}", warn):
                write_whole(config.html, diff_page(done))
        compared(done)
        if failed:
            raise done.refusal()
    if config.report:
        with only_warned(f"the report {config.report}", warn):
            write_json(config.report, done.to_dict())
    return done


def _compared(config: DiffConfig, progress: Progress) -> DiffReport:
    models = [bool(config.on) or _is_model(place) for place in (config.old, config.new)]
    if models[0] != models[1]:
        place = config.old if models[0] else config.new
        raise ConflictError(
            f"{place} is a model, and the other one is not", "compare two outputs, or two models"
        )
    for place in (config.old, config.new) if config.on else ():
        if exists(place) and not is_folder(place):
            raise BundleError(
                f"{place} is no model, and --on compares two models",
                "outputs are compared without it; --truth names their true labels",
            )
    if models[0] and not config.on:
        raise ConflictError(
            "two models are compared by their answers", "add --on with a labelled file"
        )
    return _two_models(config, progress) if models[0] else _two_outputs(config, progress)


def _two_outputs(config: DiffConfig, progress: Progress) -> DiffReport:
    config.check_outputs()
    pair = OutputPair(config)
    tally, worst = Tally(), WorstFlips(most=config.examples)
    known = pair.known if pair.has_truth else None
    with step_of(progress, pair.rows, step=_STEP) as step:
        for block in pair.blocks(step):
            tally.add(block, known)
            worst.add(block)
    found = report_of(
        Counted(
            paths=(os.fspath(config.old), os.fspath(config.new)),
            fingerprints=(pair.old.fingerprint, pair.new.fingerprint),
            labels=pair.labels,
            statuses=pair.statuses,
            tally=tally,
            worst=worst,
            only=(pair.only_old, pair.only_new),
        ),
        matched_by="key" if config.key else "position",
    )
    found = replace(found, warnings=remarks_on(pair.old, pair.new, found))
    return with_cells(found, pair.new, config.columns or ())


def _two_models(config: DiffConfig, progress: Progress) -> DiffReport:
    require_extra("diff --on", "train")
    pair = answered(config, progress)
    tally, worst = Tally(), WorstFlips(most=config.examples)
    tally.add(pair.block, None)
    worst.add(pair.block)
    found = report_of(
        Counted(
            paths=(os.fspath(config.old), os.fspath(config.new)),
            fingerprints=pair.fingerprints,
            labels=pair.labels,
            statuses=pair.statuses,
            tally=tally,
            worst=worst,
            only=(0, 0),
        ),
        matched_by="model",
    )
    return replace(found, unseen_labels=pair.unseen, warnings=pair.warnings)


def _is_model(place: Location) -> bool:
    if not is_folder(place):
        return False
    return find_releases(place) is not None or exists(place / LAYOUT.manifest)
