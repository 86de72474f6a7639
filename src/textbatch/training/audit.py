"""Likely label errors: rows for which a network that has not seen them predicts another label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pyarrow as pa

from textbatch.data.output.small_table import write_table
from textbatch.data.readers.label_values import respelled, spelled_otherwise, spellings_of
from textbatch.data.readers.labelled_rows import LabelledRows, label_ids_of
from textbatch.data.storage.file_io import new_output
from textbatch.errors import DataError, MissingExtraError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.fetch import load_model
from textbatch.model.predictor import open_bundle
from textbatch.model.quality.calibration import softmax
from textbatch.report.audit import AuditReport, LabelPair
from textbatch.report.files import job_reported, only_warned, write_json
from textbatch.report.known_rows import known_rows_warning
from textbatch.report.listener import SILENT, Listener
from textbatch.training.config.audit import AuditConfig
from textbatch.training.cross_validation import cross_validate
from textbatch.training.recipes.presets import recipe_of
from textbatch.training.run import TrainingRun
from textbatch.training.split.dataset import read_rows
from textbatch.types import BoolArray, Float32Array, Int64Array, has_evidence

#: Below this agreement the network makes many mistakes itself, and a warning is logged.
_LOW_AGREEMENT = 0.8


def audit(config: AuditConfig, *, listener: Listener = SILENT) -> AuditReport:
    """Find rows whose label is likely wrong, and write them to a file, the most likely first.

    By confident learning (Northcutt et al. 2021, as in cleanlab): a row counts where it is
    confidently of another label, that is, above the mean confidence of that label's own rows.

    Args:
        config: Names the rows, and the model or the folds that predict them.
        listener: Gets messages, and the progress of rows and folds.

    Raises:
        MissingExtraError: cleanlab is not installed.
        TextbatchError: The rows or the bundle cannot be read, or the output cannot be written.
    """
    with job_reported(config, lambda: {"output": str(config.output)}):
        _cleanlab("filter")
        report = _audit(config, listener)
    if config.train.report:
        with only_warned(f"the report {config.train.report}", listener.log):
            write_json(config.train.report, report.to_dict())
    return report


def _audit(config: AuditConfig, listener: Listener) -> AuditReport:
    new_output(config.output).check(overwrite=config.if_exists == "replace")
    warnings: list[str] = []
    bundle = load_model(config.model) if config.model else None
    known = bundle.labels if bundle else ()
    rows, labels = read_rows(config.train, warnings, known=known, listener=listener)
    if bundle:
        rows, labels, probabilities, evidence = _asked(config, bundle, rows, warnings, listener)
    else:
        run = TrainingRun(config=config.train, recipe=recipe_of(config.train), listener=listener)
        answers = cross_validate(run, rows, labels)
        probabilities, evidence = answers.probabilities(), answers.evidence
    asked = np.flatnonzero(evidence)
    if not len(asked):
        raise DataError("no row has a word that the model knows", "check --text-column")
    label_ids, _ = label_ids_of(rows.labels, labels)
    issues, scores = _likely_errors(label_ids[asked], probabilities[asked])
    agreement = float((probabilities[asked].argmax(axis=1) == label_ids[asked]).mean())
    if agreement < _LOW_AGREEMENT:
        warnings.append(
            f"the network gives {agreement:.0%} of the rows the label that they have: many of "
            "these are its own mistakes; audit more rows"
        )
    suggested = probabilities[asked[issues]].argmax(axis=1)
    given = label_ids[asked[issues]]
    table = _table(rows, asked[issues], labels, suggested, scores, texts=config.texts)
    write_table(table, config.output, overwrite=config.if_exists == "replace")
    return AuditReport(
        output=str(config.output),
        rows=len(rows),
        audited=len(asked),
        agreement=agreement,
        found=len(issues),
        pairs=_pairs(given, suggested, labels),
        warnings=warnings,
    )


def _asked(
    config: AuditConfig,
    bundle: Bundle,
    rows: LabelledRows,
    warnings: list[str],
    listener: Listener,
) -> tuple[LabelledRows, tuple[str, ...], Float32Array, BoolArray]:
    """Return a bundle's predictions for the rows whose label it knows."""
    if config.normalize_labels:
        spellings = spellings_of(dict.fromkeys(bundle.labels, 1))
        rows = replace(rows, labels=respelled(rows.labels, spellings))
    known = known_rows_warning(
        bundle.measured.training_texts,
        rows.texts,
        advice="leave --model out, so that networks of --folds answer that have not seen them",
    )
    warnings += [known] if known else []
    label_ids, unseen = label_ids_of(rows.labels, bundle.labels)
    if unseen:
        warnings.append(
            f"{sum(unseen.values()):,} rows have labels that the model has never seen; "
            "they are left out"
        )
        spelled = spelled_otherwise(unseen, bundle.labels)
        warnings += [spelled] if spelled else []
    rows = rows.take(np.flatnonzero(label_ids >= 0))
    with (
        open_bundle(bundle) as predictor,
        listener.step("asking the model", len(rows)) as step,
    ):
        logits, status = predictor.predict_logits(rows.texts, on_rows=step.advance)
    probabilities = softmax(logits, bundle.calibration.temperature)
    return rows, bundle.labels, probabilities, has_evidence(status)


def _likely_errors(
    label_ids: Int64Array, probabilities: Float32Array
) -> tuple[Int64Array, Float32Array]:
    """Return positions of likely errors, the most likely first, with scores from 0 (worst) to 1."""
    present, compact = np.unique(label_ids, return_inverse=True)
    # cleanlab needs a row of every label: the share of labels without rows goes to the others.
    shares = probabilities[:, present].astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    if len(present) < 2:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    scores = _cleanlab("rank").get_label_quality_scores(compact, shares)
    wrong = _cleanlab("filter").find_label_issues(compact, shares, n_jobs=1)
    # Where the network predicts the label that is given, there is no error, whatever cleanlab says.
    wrong &= probabilities.argmax(axis=1) != label_ids
    issues = np.flatnonzero(wrong)
    issues = issues[np.argsort(scores[issues], kind="stable")]
    return issues, np.asarray(scores[issues], np.float32)


def _table(
    rows: LabelledRows,
    positions: Int64Array,
    labels: Sequence[str],
    suggested: Int64Array,
    scores: Float32Array,
    *,
    texts: bool,
) -> pa.Table:
    picked = rows.take(positions)
    numbers = positions + 1 if picked.row_numbers is None else picked.row_numbers
    columns: dict[str, pa.Array] = {
        "row": pa.array(numbers, pa.int64()),
        "given_label": picked.labels,
        "suggested_label": pa.array(labels, pa.string()).take(pa.array(suggested)),
        "score": pa.array(scores),
    }
    return pa.table({**columns, "text": picked.texts} if texts else columns)


def _pairs(given: Int64Array, suggested: Int64Array, labels: Sequence[str]) -> list[LabelPair]:
    pairs, counts = np.unique(given * len(labels) + suggested, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [
        LabelPair(given=labels[pair // len(labels)], suggested=labels[pair % len(labels)], rows=n)
        for pair, n in zip(pairs[order].tolist(), counts[order].tolist(), strict=True)
    ]


def _cleanlab(name: str) -> Any:  # noqa: ANN401
    try:
        return import_module(f"cleanlab.{name}")
    except ModuleNotFoundError as error:
        raise MissingExtraError("audit", "cleanlab", "audit") from error
