"""The small files of a bundle, read as records."""

from __future__ import annotations

from typing import TypeVar

from textbatch.errors import BundleError
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.directory import BundleFiles
from textbatch.model.bundle.golden import check_golden
from textbatch.model.bundle.records import EarlyExit, Golden, Measured
from textbatch.model.bundle.strict_json import check_fields, parse_json, read_fields
from textbatch.model.layout import LAYOUT, RESTORE
from textbatch.model.quality.multi_label import MultiLabel
from textbatch.model.quality.novelty import Novelty
from textbatch.model.quality.reference import Reference

T = TypeVar("T")


def record_of(files: BundleFiles, name: str, kind: type[T]) -> T:
    """Read a file of a bundle as a record.

    Args:
        files: The files of the bundle.
        name: The file.
        kind: The class of the record.

    Raises:
        BundleError: It is malformed.
    """
    return read_fields(kind, parse_json(files[name], name), name)


def labels_of(files: BundleFiles) -> tuple[str, ...]:
    """Read the labels.

    Raises:
        BundleError: It is malformed.
    """
    labels = parse_json(files[LAYOUT.labels], LAYOUT.labels)
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise BundleError(f"{LAYOUT.labels} is not a list of strings", RESTORE)
    if len(set(labels)) != len(labels):
        raise BundleError(f"{LAYOUT.labels} repeats a label", RESTORE)
    return tuple(labels)


def early_exit_of(files: BundleFiles, classifier: Classifier) -> EarlyExit | None:
    """Read which rows the linear model may answer alone; None for no row.

    Args:
        files: The files of the bundle.
        classifier: What answers.

    Raises:
        BundleError: It is malformed.
    """
    if LAYOUT.early_exit not in files:
        return None
    found = record_of(files, LAYOUT.early_exit, EarlyExit)
    check_golden(found.golden, len(classifier.labels), LAYOUT.early_exit)
    if classifier.blend is None or len(classifier.labels) < 2:
        raise BundleError(f"{LAYOUT.early_exit} is there, but no linear model", RESTORE)
    return found


def golden_of(files: BundleFiles, num_labels: int) -> Golden:
    """Read the golden rows.

    Args:
        files: The files of the bundle.
        num_labels: How many labels there are.

    Raises:
        BundleError: It is malformed.
    """
    golden = record_of(files, LAYOUT.golden, Golden)
    check_golden(golden, num_labels, LAYOUT.golden)
    return golden


def metrics_of(files: BundleFiles) -> dict[str, object]:
    """Read what training measured.

    Raises:
        BundleError: It is malformed.
    """
    value = parse_json(files[LAYOUT.metrics], LAYOUT.metrics)
    if not isinstance(value, dict):
        raise BundleError(f"{LAYOUT.metrics} is not a JSON object", RESTORE)
    check_fields(Measured, value, LAYOUT.metrics)
    return value


def reference_in(files: BundleFiles) -> Reference | None:
    """Read what runs are compared with; None in a bundle of an older textbatch.

    Raises:
        BundleError: It is malformed.
    """
    if LAYOUT.reference not in files:
        return None
    return record_of(files, LAYOUT.reference, Reference)


def novelty_in(files: BundleFiles) -> Novelty | None:
    """Read what ordinary texts are like; None where the bundle does not tell.

    Raises:
        BundleError: It is malformed.
    """
    if LAYOUT.novelty not in files:
        return None
    found = record_of(files, LAYOUT.novelty, Novelty)
    if not found.is_sound:
        raise BundleError(f"{LAYOUT.novelty} is malformed", RESTORE)
    return found


def multi_label_in(files: BundleFiles, num_labels: int) -> MultiLabel | None:
    """Read how each label is answered by itself; None where each text has one label.

    Args:
        files: The files of the bundle.
        num_labels: How many labels there are.

    Raises:
        BundleError: It is malformed, or stands beside what is of one label for each text.
    """
    if LAYOUT.multi_label not in files:
        return None
    found = record_of(files, LAYOUT.multi_label, MultiLabel)
    if len(found.curves) != num_labels:
        raise BundleError(f"{LAYOUT.multi_label} has not one curve for each label", RESTORE)
    for name in (LAYOUT.early_exit, LAYOUT.novelty, LAYOUT.reference):
        if name in files:
            raise BundleError(f"{LAYOUT.multi_label} and {name} exclude each other", RESTORE)
    return found
