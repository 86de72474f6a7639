"""The path of `import`: files of Keras become a bundle, without Keras."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from textbatch.data.readers.label_values import LONGEST_LABEL, labels_alike
from textbatch.data.readers.labelled import LabelledRows, label_counts, label_ids_of, read_labelled
from textbatch.errors import BundleError, DataError, UsageError
from textbatch.model.bundle.bundle import Bundle, save_bundle
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.directory import check_replaceable
from textbatch.model.bundle.golden import golden_texts
from textbatch.model.bundle.records import Golden, Settings
from textbatch.model.keras_files.labels_file import read_labels
from textbatch.model.keras_files.network_file import KerasFile, read_network_file
from textbatch.model.keras_files.tokenizer_file import read_tokenizer
from textbatch.model.network.chain import Chain
from textbatch.model.network.weights import Weights
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.calibration import Calibration, fit_temperature, softmax
from textbatch.model.quality.profile import TrainingProfile, training_profile
from textbatch.model.quality.thresholds import HeldOut
from textbatch.report.files import job_reported, only_warned, write_json
from textbatch.report.importing import ImportReport
from textbatch.report.labels import shown_label
from textbatch.report.listener import SILENT, Listener
from textbatch.text.vocabulary import OOV_ID
from textbatch.training.config.model_import import ImportConfig
from textbatch.training.imported.card import card_of
from textbatch.training.imported.layers import embedding_of, read_layers
from textbatch.training.imported.words import text_rules, words_and_table
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
        rows: How many of them have an answer.
        accuracy: Share of these that get their label.
    """

    classifier: Classifier
    calibration: Calibration
    held_out: HeldOut
    profile: TrainingProfile
    rows: int = 0
    accuracy: float | None = None


def import_model(config: ImportConfig, *, listener: Listener = SILENT) -> ImportReport:
    """Make a bundle from the files of a Keras model. Nothing in them is run.

    Args:
        config: Names the files, and what no file tells.
        listener: Gets messages.

    Raises:
        BundleError: A file is damaged or unsafe, or its network or tokenizer cannot be reproduced.
        UsageError: Something that no file tells is missing.
        DataError: The labelled rows do not fit.
        OutputError: The bundle exists.
    """
    started = time.perf_counter()
    with job_reported(config, lambda: {"model": os.fspath(config.model)}):
        check_replaceable(config.model, overwrite=config.if_exists == "replace")
        report = _import(config, listener)
    report = replace(report, seconds=round(time.perf_counter() - started, 2))
    if config.report:
        with only_warned(f"the report {config.report}", listener.log):
            write_json(config.report, report.to_dict())
    return report


def _import(config: ImportConfig, listener: Listener) -> ImportReport:
    assert config.keras is not None, "checked by the options"
    assert config.tokenizer is not None, "checked by the options"
    tokenizer = read_tokenizer(config.tokenizer)
    file = read_network_file(config.keras)
    rules = text_rules(tokenizer, truncating=config.truncating)
    vocabulary, table = words_and_table(tokenizer, embedding_of(file).weights[0])
    read = read_layers(
        file, table, padding=config.padding, max_sequence_length=_length(config, file)
    )
    warnings: list[str] = []
    classifier = Classifier(
        architecture=read.network,
        vocabulary=vocabulary,
        labels=_labels(config, read.outputs, warnings),
        weights=Weights.pack(read.tensors, read.network),
        text=rules,
    )
    if isinstance(read.network, Chain) and read.network.computes_padding:
        warnings.append(_about_padding(read.network))
    measured = _measured(config, classifier, warnings)
    bundle = Bundle(
        classifier=measured.classifier,
        settings=Settings(preset=PRESET, text_column=config.text_column),
        calibration=measured.calibration,
        held_out=measured.held_out,
        profile=measured.profile,
        golden=_golden(measured.classifier),
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
        network=read.network.summary(),
        words=len(vocabulary.words()),
        labels=list(classifier.labels),
        keras=file.keras_version,
        calibration=measured.calibration if config.calibrate else None,
        rows=measured.rows,
        accuracy=measured.accuracy,
        warnings=warnings,
        seconds=0.0,
    )


def _length(config: ImportConfig, file: KerasFile) -> int:
    length = config.max_sequence_length or file.input_length
    if not length:
        raise UsageError(
            f"{config.keras} does not say to how many tokens texts were padded",
            "give --max-sequence-length, the `maxlen` of pad_sequences",
        )
    if file.input_length and length != file.input_length:
        raise UsageError(
            f"--max-sequence-length is {length}, the model's input has {file.input_length} tokens",
            "leave it out",
        )
    return length


def _labels(config: ImportConfig, outputs: int, warnings: list[str]) -> tuple[str, ...]:
    if config.labels is None:
        warnings.append("the labels are the numbers of the outputs: name them with --labels")
        return tuple(map(str, range(outputs)))
    labels = read_labels(config.labels)
    if len(labels) != outputs:
        raise BundleError(
            f"{config.labels} has {len(labels):,} labels, the network {outputs:,} outputs",
            "give a label for each output, in their order",
        )
    if labels_alike(labels) or not all(label.strip() for label in labels):
        raise BundleError(
            f"{config.labels} has a blank label, or two that are the same but for upper case, "
            "blanks and the form of their letters",
            "write a file that gives each output a label of its own",
        )
    if long := sum(len(label) > LONGEST_LABEL for label in labels):
        raise BundleError(
            f"{config.labels} has {long:,} labels of more than {LONGEST_LABEL:,} characters",
            "check --labels",
        )
    return labels


def _about_padding(chain: Chain) -> str:
    mask = "after layers that drop its mask" if chain.mask_zero else "without a mask"
    return (
        f"the model reads padding as if it were words ({mask}): its answers are those of Keras for "
        f"texts padded to {chain.max_sequence_length} tokens, and short texts answer mostly of "
        "padding; trained with mask_zero=True and layers that keep the mask, it would read the "
        "words alone, be faster here, and often be right more often"
    )


def _measured(config: ImportConfig, classifier: Classifier, warnings: list[str]) -> _Measured:
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
        label_column=config.label_column,
        skip_unlabelled=True,
    )
    return _calibrated(config, classifier, _with_text(rows))


def _with_text(rows: LabelledRows) -> LabelledRows:
    return rows.take(np.flatnonzero(rows.texts.is_valid().to_numpy(zero_copy_only=False)))


def _calibrated(config: ImportConfig, classifier: Classifier, rows: LabelledRows) -> _Measured:
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
    return _Measured(
        classifier=replace(classifier, temperature=calibration.temperature),
        calibration=calibration,
        held_out=HeldOut.of(probabilities, label_ids),
        profile=training_profile(
            classifier.tokenizer.encode(rows.texts),
            labels=label_counts(rows),
            confidences=probabilities.max(axis=1),
            oov_id=OOV_ID,
        ),
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
