"""The path of `promote`: measure the new model beside the current one, then put it into place."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from textbatch.data.output.quarantine import BadRowList
from textbatch.data.readers.class_labels import LabelChoice
from textbatch.data.readers.labelled import read_labelled
from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.data.storage.location import Location
from textbatch.errors import BundleError, DataError, TextbatchError, require_extra
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.fetch import load_model, load_placed, local_copy
from textbatch.model.predictor import Predictor, open_bundle
from textbatch.report.files import job_reported, only_warned, write_json
from textbatch.report.known_rows import known_share
from textbatch.report.listener import SILENT
from textbatch.report.promotion import PromoteReport
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.scoring.releases.comparison import (
    CommonRows,
    MeasuredModel,
    check_labels,
    check_met,
    checked,
    compared,
    respelled_like,
)
from textbatch.scoring.releases.folder import ReleaseFolder, held, promoted
from textbatch.scoring.releases.options import PromoteConfig


def promote(
    config: PromoteConfig,
    *,
    progress: Progress | None = None,
    measured: Callable[[PromoteReport], None] = lambda _: None,
    warn: Callable[[str], None] = lambda _: None,
) -> PromoteReport:
    """Make a model the current one of a folder of releases, if it is good enough.

    Whoever reads the folder sees the old model or the new one, never anything else.

    Args:
        config: The model, the folder, the rows and the requirements.
        progress: Called as rows are read and predicted.
        measured: Gets the report when the models are measured, before a requirement can fail.
        warn: Gets what is wrong with the report after the model was promoted.

    Returns:
        What was measured and done.

    Raises:
        MissingExtraError: There are rows to measure on, and the extra `train` is not installed.
        BundleError: A model is missing or damaged, or its golden rows get other answers here.
        QualityGateError: A requirement is not met. Nothing has changed.
        DataError: A file is malformed, or the new model was trained on its rows.
        TryAgainError: Another run changes the folder.
        OutputError: The folder holds something else.
    """
    if config.on:
        require_extra("promote --on", "train")
    report: dict[str, Any] = {"model": os.fspath(config.model), "to": os.fspath(config.folder)}
    with job_reported(config, lambda: report):
        bundle, place = load_placed(config.model)
        with held(config.folder, uuid.uuid4().hex[:16], dry_run=config.dry_run) as folder:
            promotion = _Promotion(config, bundle, folder, progress or SILENT)
            try:
                done = promotion.run(place, measured)
            finally:
                report |= promotion.report.to_dict()
                del report["state"]
    if config.report:
        with only_warned(f"the report {config.report}", warn):
            write_json(config.report, done.to_dict())
    return done


class _Promotion:
    """One promotion, and its report as far as it has come."""

    def __init__(
        self, config: PromoteConfig, new: Bundle, folder: ReleaseFolder, progress: Progress
    ) -> None:
        self._config, self._new, self._folder, self._progress = config, new, folder, progress
        current = folder.current
        self.report = PromoteReport(
            model=os.fspath(config.model),
            to=os.fspath(config.folder),
            state="planned",
            version="",
            fingerprint=new.fingerprint,
            previous=current.name if current else None,
            previous_fingerprint=current.fingerprint if current else None,
            input=tuple(map(os.fspath, config.on)),
        )

    def run(self, place: Location, measured: Callable[[PromoteReport], None]) -> PromoteReport:
        """Measure, check, promote.

        Args:
            place: Where the new model stands.
            measured: Gets the report between measuring and checking.
        """
        config, current = self._config, self._folder.current
        old = self._current()
        check_labels(config.requirements, self._new, *([old] if old else []))
        if old and current and current.fingerprint == self._new.fingerprint:
            self._note(state="unchanged", version=current.name)
            return self.report
        with open_bundle(
            self._new, **config.opening()
        ) as predictor:  # its golden rows are replayed
            if config.on:
                self._measure(predictor, old)
        measured(self.report)
        check_met(self.report.requirements)
        self._warn(*_label_warnings(self._new, old))
        if not config.dry_run:
            self._place(place)
        return self.report

    def _current(self) -> Bundle | None:
        """The current model. One that is damaged does not hinder its replacement."""
        current = self._folder.current
        if current is None:
            return None
        try:
            return load_model(self._folder.place(current), beside=self._new.memory)
        except BundleError as error:
            if any(one.currents for one in self._config.requirements):
                raise
            self._warn(f"the current model cannot be loaded, so nothing was compared: {error}")
            return None

    def _measure(self, predictor: Predictor, old: Bundle | None) -> None:
        bundles = [self._new, old] if old else [self._new]
        rows = self._read(bundles)
        share = known_share(self._new.measured.training_texts, rows.texts)
        if share is not None:
            raise DataError(
                f"about {share:.0%} of the rows of --on have texts that the new model was trained "
                "on, where it is right more often than elsewhere",
                "measure on rows that it has not seen",
            )
        common = CommonRows.of(rows, *bundles)
        new = common.measured(predictor, self._new.fingerprint, self._progress)
        self._note(
            rows=len(common.true),
            unlabelled=0 if rows.left_out is None else len(rows.left_out),
            unreadable=rows.unreadable,
            unseen_labels=common.unseen,
            new=new.measures,
        )
        current: MeasuredModel | None = None
        if old:
            with open_bundle(old, **self._config.opening()) as other:
                current = common.measured(other, old.fingerprint, self._progress)
            self._note(current=current.measures, comparison=compared(new, current))
            if (share := known_share(old.measured.training_texts, rows.texts)) is not None:
                self._warn(
                    f"about {share:.0%} of the rows have texts that the current model was trained "
                    "on, so the comparison is in its favour"
                )
        measures = current.measures if current else None
        self._note(requirements=checked(self._config.requirements, new.measures, measures))

    def _read(self, bundles: list[Bundle]) -> LabelledRows:
        config = self._config
        with step_of(self._progress, None, step="reading") as step:
            bad = BadRowList(config.quarantine, config.max_bad_rows)
            rows = read_labelled(
                config.on,
                config.reading(),
                text_column=config.text_column or self._new.settings.text_column,
                label_column=LabelChoice(
                    column=config.label_column,
                    naming=config.label_names,
                    known={label for bundle in bundles for label in bundle.labels},
                ),
                skip_unlabelled=config.skip_unlabelled,
                on_bad=bad.taker,
                on_read=step.advance,
            )
        bad.write(rows.rows_read)
        return respelled_like(rows, *bundles) if config.normalize_labels else rows

    def _place(self, place: Location) -> None:
        folder = self._folder
        version = folder.add(local_copy(place))
        folder.record(promoted(folder.releases, version, keep=self._config.keep))
        # From here on it is promoted, whatever happens.
        self._note(state="done", version=version.name)
        try:
            self._note(removed=folder.tidy())
        except TextbatchError as error:
            self._warn(f"old versions could not be removed: {error}")

    def _note(self, **fields: Any) -> None:  # noqa: ANN401 - of the report's types
        self.report = replace(self.report, **fields)

    def _warn(self, *warnings: str | None) -> None:
        told = tuple(one for one in warnings if one)
        self.report = replace(self.report, warnings=self.report.warnings + told)


def _label_warnings(new: Bundle, old: Bundle | None) -> list[str]:
    """What a reader of the labels should know before they change."""
    if old is None or set(new.labels) == set(old.labels):
        return []
    gone, come = set(old.labels) - set(new.labels), set(new.labels) - set(old.labels)
    told = []
    if come:
        told.append(f"labels that the current model does not have: {', '.join(sorted(come))}")
    if gone:
        told.append(f"labels that the new model no longer has: {', '.join(sorted(gone))}")
    return told
