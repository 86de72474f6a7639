"""Two models on the same labelled rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from textbatch.data.output.quarantine import BadRowList
from textbatch.data.readers.class_labels import LabelChoice
from textbatch.data.readers.labelled import read_labelled
from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.errors import UsageError
from textbatch.model.bundle.fetch import load_model
from textbatch.model.predictor import open_bundle
from textbatch.report.known_rows import known_rows_warning
from textbatch.report.terminal.progress import Progress, step_of
from textbatch.scoring.diff.answers import Answers, Block, Codes
from textbatch.scoring.diff.options import DiffConfig
from textbatch.scoring.releases.comparison import CommonRows, MeasuredModel, respelled_like
from textbatch.types import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPair:
    """Two models that have answered the same rows.

    Attributes:
        block: Their answers, with the true labels.
        labels: The labels of both.
        statuses: The statuses.
        fingerprints: Of the old one and the new one.
        unseen: Rows that were left out, by their label.
        warnings: What the user should look at.
    """

    block: Block
    labels: Codes
    statuses: Codes
    fingerprints: tuple[str, str]
    unseen: dict[str, int]
    warnings: tuple[str, ...]


def answered(config: DiffConfig, progress: Progress) -> ModelPair:
    """Ask two models.

    Args:
        config: Names them and the rows.
        progress: Called as rows are read and predicted.

    Raises:
        BundleError: A model is missing or damaged.
        DataError: The rows are malformed, or have no label that a model knows.
        UsageError: The models read other columns, and no option names one.
    """
    old = load_model(config.old)
    new = load_model(config.new, beside=old.memory)
    columns = {old.settings.text_column, new.settings.text_column}
    if config.text_column is None and len(columns) > 1:
        raise UsageError("the two models read other columns", "name the one with --text-column")
    with step_of(progress, None, step="reading") as step:
        bad = BadRowList(config.quarantine, config.max_bad_rows)
        rows = read_labelled(
            config.on,
            config.reading(),
            text_column=config.text_column or new.settings.text_column,
            label_column=LabelChoice(
                column=config.true_column,
                naming=config.label_names,
                known={*old.labels, *new.labels},
            ),
            skip_unlabelled=config.skip_unlabelled,
            on_bad=bad.taker,
            on_read=step.advance,
        )
    bad.write(rows.rows_read)
    if config.normalize_labels:
        rows = respelled_like(rows, new, old)
    common = CommonRows.of(rows, new, old)
    measured = []
    for bundle in (old, new):
        with open_bundle(bundle, **config.opening()) as predictor:
            measured.append(common.measured(predictor, bundle.fingerprint, progress))
    numbers = _numbers(common.rows)
    warnings = [
        known_rows_warning(
            bundle.measured.training_texts,
            rows.texts,
            advice=f"the comparison is in favour of {name}; measure on rows that it has not seen",
        )
        for name, bundle in (("the old model", old), ("the new model", new))
    ]
    return ModelPair(
        block=Block(
            old=_answers(measured[0]),
            new=_answers(measured[1]),
            true=common.true.astype(np.int32),
            old_rows=numbers,
            new_rows=numbers,
        ),
        labels=Codes(common.labels),
        statuses=Codes(Status.names()),
        fingerprints=(old.fingerprint, new.fingerprint),
        unseen=common.unseen,
        warnings=tuple(one for one in warnings if one),
    )


def _numbers(rows: LabelledRows) -> np.ndarray:
    return np.arange(1, len(rows) + 1) if rows.row_numbers is None else rows.row_numbers


def _answers(model: MeasuredModel) -> Answers:
    return Answers(
        labels=model.predicted.astype(np.int32),
        confidences=model.confidences.astype(np.float64),
        statuses=model.status.astype(np.int32),
    )
