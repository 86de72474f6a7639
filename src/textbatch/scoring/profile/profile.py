"""The path of `profile`: one or two files, counted, and compared if there are two."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from textbatch.model.bundle.fetch import load_model
from textbatch.model.quality.drift import (
    Drift,
    Found,
    drift_of,
    mixes_between,
    tokens_between,
)
from textbatch.model.quality.scripts import KINDS
from textbatch.model.quality.text_counts import CONTENTS, SCRIPTS
from textbatch.model.quality.two_samples import mix_difference
from textbatch.report.files import job_reported, only_warned, write_json
from textbatch.report.listener import SILENT
from textbatch.report.profiling import QUANTILES, ProfileReport, ProfileSide
from textbatch.report.terminal.progress import Progress
from textbatch.scoring.profile.options import ProfileConfig
from textbatch.scoring.profile.side import Side, side_of


def profile(
    config: ProfileConfig,
    *,
    progress: Progress | None = None,
    profiled: Callable[[ProfileReport], None] = lambda _: None,
    warn: Callable[[str], None] = lambda _: None,
) -> ProfileReport:
    """Tell what the texts of a file are like, or how those of a second file differ.

    Files are read as streams: memory does not grow with their rows.

    Args:
        config: The files, and how they are read.
        progress: Called as rows are read.
        profiled: Gets the report before `--fail-on-drift` can fail.
        warn: Gets what is wrong with the report.

    Returns:
        What was counted, and of two files how they differ.

    Raises:
        QualityGateError: The second file has drifted, and that was to be an error.
        InputNotFoundError: A file is not there.
        DataError: A file is malformed, or lacks the text column.
        BundleError: The model is missing or damaged.
    """
    report: dict[str, Any] = {"inputs": [os.fspath(one) for one in config.inputs]}
    with job_reported(config, lambda: report):
        model = load_model(config.model) if config.model is not None else None
        sides = [side_of(one, config, model, progress or SILENT) for one in config.inputs]
        drift = _drift(*sides) if len(sides) > 1 else None
        failed = bool(config.fail_on_drift and drift and drift.drifted)
        done = ProfileReport(
            inputs=tuple(one.path for one in sides),
            sides=tuple(map(_told, sides)),
            drift=drift,
            warnings=tuple(_warnings(sides)),
        )
        done = replace(done, failed=failed)
        report = done.to_dict()
        profiled(done)
        if failed:
            raise done.refusal()
    if config.report:
        with only_warned(f"the report {config.report}", warn):
            write_json(config.report, done.to_dict())
    return done


def _drift(before: Side, now: Side) -> Drift | None:
    return drift_of(
        list(_compared(before, now)),
        rows=now.counts.rows,
        reference_rows=before.counts.rows,
    )


def _compared(before: Side, now: Side) -> Iterator[Found]:
    one, other = before.counts, now.counts
    mixes = (
        ("contents", CONTENTS, one.contents, other.contents),
        ("scripts", SCRIPTS, one.scripts, other.scripts),
    )
    for of, names, first, second in mixes:
        if found := mix_difference(first.tolist(), second.tolist(), ordered=False):
            yield of, names[found.moved], found
    yield from mixes_between(one.signs(before.answers), other.signs(now.answers))
    yield from tokens_between("marks", one.marks, other.marks)
    if before.unknown and now.unknown:
        yield from tokens_between("unknown", before.unknown, now.unknown)


def _told(side: Side) -> ProfileSide:
    counts, unknown, answers = side.counts, side.unknown, side.answers
    characters = max(1, counts.characters)
    contents = dict(zip(CONTENTS, counts.contents.tolist(), strict=True))
    return ProfileSide(
        path=side.path,
        rows=counts.rows,
        texts=contents["text"],
        blank=contents["blank"],
        null=contents["null"],
        bad_utf8=contents["bad UTF-8"],
        distinct=counts.distinct.count,
        distinct_exact=counts.distinct.exact,
        mean_length=counts.mean_length,
        lengths={f"{share:.0%}": counts.quantile(share) for share in QUANTILES},
        longest=counts.longest,
        characters={
            kind: count / characters
            for kind, count in zip(KINDS, counts.kinds.tolist(), strict=True)
            if count
        },
        scripts={
            script: count
            for script, count in zip(SCRIPTS, counts.scripts.tolist(), strict=True)
            if count
        },
        length_histogram=tuple(counts.signs().lengths),
        unknown_share=unknown.unknown / unknown.tokens if unknown and unknown.tokens else None,
        labels=answers.answers if answers else None,
        confidence_histogram=tuple(answers.confidences) if answers else None,
    )


def _warnings(sides: list[Side]) -> Iterator[str]:
    for side in sides:
        yield from side.warnings
    if len(sides) > 1 and all(one.answers is not None for one in sides):
        if sides[0].fingerprints != sides[1].fingerprints:
            yield "other models have answered: labels and confidences may differ because of that"
    elif any(one.answers is not None for one in sides[1:]) or (
        len(sides) > 1 and sides[0].answers is not None
    ):
        yield "only one of them has answers of a model: labels and confidences are not compared"
