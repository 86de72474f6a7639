"""The path of `import`: a model of Keras becomes a bundle; files do without Keras."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from textbatch.data.readers.class_labels import LabelChoice
from textbatch.data.readers.labelled import read_labelled
from textbatch.data.readers.labelled_rows import LabelledRows, label_counts, label_ids_of
from textbatch.errors import BundleError, DataError
from textbatch.model.bundle.bundle import Bundle, save_bundle
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.directory import check_replaceable
from textbatch.model.bundle.golden import golden_texts
from textbatch.model.bundle.memory import network_memory
from textbatch.model.bundle.memory_limit import check_made
from textbatch.model.bundle.records import Golden, Settings
from textbatch.model.keras_files.labels_file import read_labels
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.calibration import Calibration, fit_temperature, softmax
from textbatch.model.quality.profile import TrainingProfile, training_profile
from textbatch.model.quality.reference import (
    HeldOutTexts,
    Reference,
    characters_of,
    reference_of_rows,
    unknown_in,
)
from textbatch.model.quality.thresholds import HeldOut
from textbatch.report.files import job_reported, only_warned, write_json
from textbatch.report.importing import ImportReport
from textbatch.report.labels import shown_label
from textbatch.report.listener import SILENT, Listener
from textbatch.text.vocabulary import OOV_ID
from textbatch.training.config.model_import import ImportConfig, ImportSettings
from textbatch.training.imported.card import card_of
from textbatch.training.imported.checks import about_padding, check_labels, check_same
from textbatch.training.imported.source import Given, Source, classifier_of, read_source
from textbatch.training.imported.words import about_lost
from textbatch.types import has_evidence

#: `Settings.preset` of a network that no preset made.
PRESET = "keras"
#: Without labelled rows: confidences are taken as they are.
_NOT_CALIBRATED = Calibration(
    temperature=1.0, rows=0, ece_before=0.0, ece_after=0.0, nll_before=0.0, nll_after=0.0
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """What labelled rows tell about a classifier, or what stands for it without them.

    Attributes:
        classifier: The classifier with its temperature.
        calibration: How the temperature was found.
        held_out: Answers to the rows.
        profile: What their texts look like.
        reference: What runs are compared with; None without rows.
        rows: How many of them have an answer.
        accuracy: Share of these that get their label.
    """

    classifier: Classifier
    calibration: Calibration
    held_out: HeldOut
    profile: TrainingProfile
    reference: Reference | None = None
    rows: int = 0
    accuracy: float | None = None


def import_model(config: ImportConfig, *, listener: Listener = SILENT) -> ImportReport:
    """Make a bundle from the files of a Keras model. Nothing in them is run.

    Args:
        config: Names the files, and what no file tells.
        listener: Gets messages.

    Raises:
        TextbatchError: As `import_given`.
    """
    return import_given(
        config, network=config.keras, tokenizer=config.tokenizer, labels=config.labels,
        listener=listener,
    )  # fmt: skip


def import_given(
    config: ImportSettings,
    *,
    network: Any,  # noqa: ANN401 - Keras has no types
    tokenizer: Any | None,  # noqa: ANN401
    labels: Path | Sequence[str] | None,
    listener: Listener = SILENT,
) -> ImportReport:
    """Make a bundle from a Keras model, in files or in memory.

    Args:
        config: What no file tells, and the bundle.
        network: As `source.Given` takes it.
        tokenizer: As `source.Given` takes it.
        labels: The labels of the outputs, or the path of their file; None for their numbers.
        listener: Gets messages.

    Raises:
        BundleError: A file is damaged or unsafe, or its network or tokenizer cannot be reproduced.
            Or the bundle answers otherwise than a network in memory.
        UsageError: Something that no file tells is missing.
        ConflictError: Something is told twice. Or the model would take more memory than `score`
            allows.
        DataError: The labelled rows do not fit.
        OutputError: The bundle exists.
    """
    started = time.perf_counter()
    with job_reported(config, lambda: {"model": os.fspath(config.model)}):
        check_replaceable(config.model, overwrite=config.if_exists == "replace")
        source = read_source(
            Given(
                network=network,
                tokenizer=tokenizer,
                padding=config.padding,
                truncating=config.truncating,
                max_sequence_length=config.max_sequence_length,
                standardize=config.standardize,
                split=config.split,
            )
        )
        report = _import(config, source, labels, listener)
    report = replace(report, seconds=round(time.perf_counter() - started, 2))
    if config.report:
        with only_warned(f"the report {config.report}", listener.log):
            write_json(config.report, report.to_dict())
    return report


def _import(
    config: ImportSettings,
    source: Source,
    labels: Path | Sequence[str] | None,
    listener: Listener,
) -> ImportReport:
    read = read_labels(labels) if isinstance(labels, Path) else labels
    imported = classifier_of(source, None if read is None else tuple(map(str, read)))
    warnings = about_lost(source.words)
    classifier = imported.classifier
    check_made(network_memory(classifier.architecture))
    if read is None:
        warnings.append("the labels are the numbers of the outputs: name them with --labels")
    else:
        check_labels(classifier, labels if isinstance(labels, Path) else "the list of labels")
    warnings += about_padding(classifier)
    measured = _measured(config, classifier, warnings)
    golden = _golden(measured.classifier)
    check_same(imported, source, pa.array(golden.texts, pa.large_string()))
    bundle = Bundle(
        classifier=measured.classifier,
        settings=Settings(preset=PRESET, text_column=config.text_column),
        calibration=measured.calibration,
        held_out=measured.held_out,
        profile=measured.profile,
        reference=measured.reference,
        golden=golden,
        int8=None,
        metrics={},
    )
    fingerprint = save_bundle(
        bundle, config.model, card=card_of(config, bundle), overwrite=config.if_exists == "replace"
    )
    for warning in warnings:
        listener.log(f"warning: {warning}")
    return ImportReport(
        model=os.fspath(config.model),
        fingerprint=fingerprint,
        network=classifier.architecture.summary(),
        words=len(classifier.vocabulary.words()),
        labels=list(classifier.labels),
        keras=source.file.keras_version,
        calibration=measured.calibration if config.calibrate else None,
        rows=measured.rows,
        accuracy=measured.accuracy,
        warnings=warnings,
        seconds=0.0,
    )


def _measured(config: ImportSettings, classifier: Classifier, warnings: list[str]) -> _Measured:
    if config.calibrate is None:
        warnings.append(
            "not calibrated: confidences are the network's own, and --min-precision of `score` "
            "has no rows to go by; give --calibrate labelled rows that it has not seen"
        )
        return _Measured(
            classifier=classifier,
            calibration=_NOT_CALIBRATED,
            held_out=HeldOut(
                confidences=[[] for _ in classifier.labels],
                correct=[[] for _ in classifier.labels],
            ),
            profile=TrainingProfile(
                rows=0,
                tokens_by_quantile={},
                truncated_share=0.0,
                oov_share=0.0,
                labels={},
                confidence_histogram=[],
            ),
        )
    rows = read_labelled(
        [config.calibrate],
        config,
        text_column=config.text_column,
        label_column=LabelChoice(column=config.label_column, naming="off"),
        skip_unlabelled=True,
    )
    return _calibrated(config, classifier, _with_text(rows))


def _with_text(rows: LabelledRows) -> LabelledRows:
    return rows.take(np.flatnonzero(rows.texts.is_valid().to_numpy(zero_copy_only=False)))


def _calibrated(config: ImportSettings, classifier: Classifier, rows: LabelledRows) -> _Measured:
    label_ids, unknown = label_ids_of(rows.labels, classifier.labels)
    if unknown:
        raise DataError(
            f"{config.calibrate} has {len(unknown):,} labels that the model lacks, the first is "
            f"{shown_label(next(iter(unknown)))}",
            "name the model's labels with --labels, as the label column has them",
        )
    with open_predictor(classifier) as predictor:
        logits, status = predictor.predict_logits(rows.texts)
    answered = np.flatnonzero(has_evidence(status))
    if not len(answered):
        raise DataError(
            f"{config.calibrate} has no text with a word that the model knows",
            "check --text-column and --tokenizer",
        )
    logits, label_ids = logits[answered], label_ids[answered]
    calibration = fit_temperature(logits, label_ids)
    probabilities = softmax(logits, calibration.temperature)
    tokens = classifier.tokenizer.encode(rows.texts)
    texts = HeldOutTexts(lengths=characters_of(rows.texts), unknown=unknown_in(tokens, OOV_ID))
    return _Measured(
        classifier=replace(classifier, temperature=calibration.temperature),
        calibration=calibration,
        held_out=HeldOut.of(probabilities, label_ids),
        profile=training_profile(
            tokens,
            labels=label_counts(rows),
            confidences=probabilities.max(axis=1),
            oov_id=OOV_ID,
        ),
        reference=reference_of_rows(probabilities, label_ids, classifier.labels, texts),
        rows=len(answered),
        accuracy=float((probabilities.argmax(axis=1) == label_ids).mean()),
    )


def _golden(classifier: Classifier) -> Golden:
    texts = golden_texts(
        classifier.vocabulary,
        max_sequence_length=classifier.architecture.max_sequence_length,
        seed=0,
        between=classifier.text.between if classifier.text else " ",
    )
    with open_predictor(classifier) as predictor:
        predictions = predictor.predict(pa.array(texts, pa.large_string()))
    answered = np.flatnonzero(has_evidence(predictions.status))
    if not len(answered):
        raise BundleError(
            "no text made of the tokenizer's words has a word that it knows",
            "give the tokenizer that the model was trained with",
        )
    return Golden(
        texts=[texts[row] for row in answered],
        probabilities=predictions.probabilities[answered].tolist(),
    )
