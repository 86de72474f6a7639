"""The small files of a bundle that are more than their fields: read and checked."""

from __future__ import annotations

from typing import TypeVar

from textbatch.errors import BundleError
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.directory import BundleFiles
from textbatch.model.bundle.golden import check_golden
from textbatch.model.bundle.records import EarlyExit, Golden
from textbatch.model.bundle.strict_json import parse_json, read_fields
from textbatch.model.layout import LAYOUT, RESTORE
from textbatch.model.quality.novelty import Novelty

T = TypeVar("T")


def read_record(files: BundleFiles, name: str, kind: type[T]) -> T:
    """Read a small file.

    Args:
        files: The files of the bundle.
        name: Its name.
        kind: What it holds.

    Raises:
        BundleError: It is malformed.
    """
    return read_fields(kind, parse_json(files[name], name), name)


def read_early_exit(files: BundleFiles, classifier: Classifier) -> EarlyExit | None:
    """Read which rows may leave early; None where the bundle does not tell.

    Args:
        files: The files of the bundle.
        classifier: Its classifier.

    Raises:
        BundleError: The file is malformed.
    """
    if LAYOUT.early_exit not in files:
        return None
    found = read_record(files, LAYOUT.early_exit, EarlyExit)
    check_golden(found.golden, len(classifier.labels), LAYOUT.early_exit)
    if classifier.blend is None or len(classifier.labels) < 2:
        raise BundleError(f"{LAYOUT.early_exit} is there, but no linear model", RESTORE)
    return found


def read_novelty(files: BundleFiles) -> Novelty | None:
    """Read what ordinary texts are like; None where the bundle does not tell.

    Raises:
        BundleError: The file is malformed.
    """
    if LAYOUT.novelty not in files:
        return None
    found = read_record(files, LAYOUT.novelty, Novelty)
    if not found.is_sound:
        raise BundleError(f"{LAYOUT.novelty} is malformed", RESTORE)
    return found


def read_golden(files: BundleFiles, num_labels: int) -> Golden:
    """Read the golden rows.

    Args:
        files: The files of the bundle.
        num_labels: How many labels it has.

    Raises:
        BundleError: The file is malformed.
    """
    golden = read_record(files, LAYOUT.golden, Golden)
    check_golden(golden, num_labels, LAYOUT.golden)
    return golden
