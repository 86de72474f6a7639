"""The path of `from_keras`: a network that was made elsewhere becomes a measured bundle."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace

from textbatch.errors import ConflictError, UsageError
from textbatch.model.bundle.directory import check_replaceable
from textbatch.report.files import job_reported, only_warned, write_json
from textbatch.report.listener import SILENT, Listener
from textbatch.report.training import TrainReport
from textbatch.training.config.train import TrainConfig
from textbatch.training.fit.fitted import Fitted, NetworkStart
from textbatch.training.imported.checks import about_padding, check_same
from textbatch.training.imported.model_import import PRESET
from textbatch.training.imported.source import Given, classifier_of, read_source
from textbatch.training.imported.words import about_lost
from textbatch.training.package.assemble import measure_classifier
from textbatch.training.package.save import report_of, save
from textbatch.training.split.dataset import read_splits

#: How many texts are compared: enough to find a wrong network, and Keras is slow with more.
_COMPARED = 1_000


def adopt(
    given: Given, labels: Sequence[str], config: TrainConfig, *, listener: Listener = SILENT
) -> TrainReport:
    """Make a bundle from a Keras network, and measure it.

    Args:
        given: The network and its tokenizer.
        labels: The labels of its outputs, in order.
        config: Names the labelled rows and the bundle. Validation and test rows must have their
            own files, because a network is too sure of rows that it was fitted to.
        listener: Gets messages.

    Raises:
        UsageError: Vocabulary or labels cannot be used.
        BundleError: The network cannot be reproduced, or the bundle predicts other probabilities.
        TextbatchError: As in `training.train`.
    """
    if not (config.validation and config.test):
        raise ConflictError(
            "validation and test rows are not named",
            "name files of rows that the network was not fitted to",
        )
    started = time.perf_counter()
    with job_reported(config, lambda: {"model": os.fspath(config.model)}):
        report = _adopt(given, list(labels), config, listener, started)
    report = replace(report, seconds=round(time.perf_counter() - started, 1))
    if config.report:
        with only_warned(f"the report {config.report}", listener.log):
            write_json(config.report, report.to_dict())
    return report


def _adopt(
    given: Given, labels: list[str], config: TrainConfig, listener: Listener, started: float
) -> TrainReport:
    check_replaceable(config.model, overwrite=config.if_exists == "replace")
    splits = read_splits(config)
    order = _outputs_of(splits.labels, labels)
    source = read_source(given)
    if config.blend != "off" and source.words.rules is not None:
        raise ConflictError(
            "a linear model goes with texts that textbatch splits by its own rules",
            "leave blend out, or give the vocabulary of a network that was fitted to such texts",
        )
    imported = classifier_of(source, splits.labels, order=order)
    classifier = imported.classifier
    worst = check_same(imported, source, splits.test.texts.slice(0, _COMPARED), order)
    if source.live is not None:
        listener.log(f"the bundle's probabilities are within {worst:.1g} of the network's")
    start = NetworkStart(
        tokenizer=classifier.tokenizer,
        architecture=classifier.architecture,
        vectors=classifier.weights.tensors["embedding"],
        warnings=[*about_lost(source.words), *about_padding(classifier)],
    )
    fitted = Fitted(start=start, classifier=classifier, epochs=[], preset=PRESET)
    measured = measure_classifier(classifier, splits, config)
    report = report_of(config, splits, fitted, measured)
    report = replace(report, seconds=time.perf_counter() - started)
    return replace(report, fingerprint=save(config, splits, fitted, measured, report))


def _outputs_of(labels: tuple[str, ...], named: list[str]) -> list[int]:
    """Return the number of the network's output for each label."""
    if sorted(named) != list(labels):
        raise UsageError(
            f"{len(named)} labels are named, and the training rows have {len(labels)} that are "
            "not all the same",
            "name each output's label as the label column has it, each once",
        )
    return [named.index(label) for label in labels]
