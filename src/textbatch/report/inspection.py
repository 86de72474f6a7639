"""What `inspect` finds: a bundle, a folder of releases, or an output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from textbatch.data.output.answer_counts import AnswerCounts
from textbatch.data.strict_json import to_json
from textbatch.model.bundle.records import EarlyExit, Int8Check, Settings
from textbatch.model.bundle.verified_file import ListedFile
from textbatch.model.network.architecture import Architecture
from textbatch.model.network.chain import Chain
from textbatch.model.quality.calibration import Calibration
from textbatch.model.quality.multi_label import MultiLabel
from textbatch.model.quality.profile import TrainingProfile
from textbatch.text.choices import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleInspection:
    """What a bundle holds.

    Attributes:
        path: The bundle's directory.
        fingerprint: sha256 over the hashes of the files that decide the predictions.
        created: When it was made, UTC, ISO 8601.
        textbatch: Version of textbatch that made it.
        versions: Versions of the libraries that made it.
        settings: The settings of its training.
        architecture: Sizes of the network.
        network: The architecture as one line of text.
        on_long: Which part of a text with more tokens than it reads at once is used.
        labels: The labels, in the order of the network's outputs.
        calibration: The temperature, and how it was found.
        profile: Statistics of the training texts and of the predictions for them.
        multi_label: Of a model that gives a text any number of labels, the curve and the threshold
            of each; else None.
        int8: What `--precision int8` changes; None if the network cannot use it.
        early_exit: What `--early-exit` changes; None if no row may leave early.
        metrics: What training measured.
        files: Size and sha256 of each file.
    """

    path: str
    fingerprint: str
    created: str
    textbatch: str
    versions: dict[str, str]
    settings: Settings
    architecture: Architecture | Chain
    network: str
    on_long: Part
    labels: tuple[str, ...]
    calibration: Calibration
    profile: TrainingProfile
    int8: Int8Check | None
    early_exit: EarlyExit | None
    metrics: Mapping[str, Any]
    files: dict[str, ListedFile]
    multi_label: MultiLabel | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        told = to_json(self)
        if self.multi_label is None:
            del told["multi_label"]
        return {"kind": "bundle", **told}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputInspection:
    """What an output holds.

    Attributes:
        path: The file or the folder.
        parts: How many parts a folder has; None for a file.
        rows: Rows in the output.
        run_id: Id of the run that wrote it.
        textbatch: Version of textbatch that wrote it.
        fingerprint: Fingerprint of the bundle that made it; of several a hash of all of theirs.
        columns: The columns' types, by name.
        statuses: Rows by status.
        labels: Rows by predicted label.
        models: Of several models the answers of each; then `statuses` and `labels` are empty.
        bad_files: How many input files of a folder were set aside; None for a file.
    """

    path: str
    parts: int | None = None
    rows: int
    run_id: str
    textbatch: str
    fingerprint: str
    columns: dict[str, str]
    statuses: dict[str, int]
    labels: dict[str, int]
    models: dict[str, AnswerCounts] = field(default_factory=dict)
    bad_files: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON values; a file has no `parts`."""
        record = {"kind": "output", **to_json(self)}
        if not self.models:
            del record["models"]
        return {name: value for name, value in record.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionInspection:
    """One version of a model.

    Attributes:
        name: Its name.
        current: Whether it is the current one.
        fingerprint: The fingerprint of the model.
        promoted: When it was promoted, UTC, ISO 8601.
        withdrawn: When it was rolled back, UTC, ISO 8601; None if it was not.
    """

    name: str
    current: bool
    fingerprint: str
    promoted: str
    withdrawn: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasesInspection:
    """What a folder of releases holds.

    Attributes:
        path: The folder.
        current: Name of the current version.
        versions: All versions, in the order in which they were current last.
        model: The current version.
    """

    path: str
    current: str
    versions: tuple[VersionInspection, ...]
    model: BundleInspection

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return {"kind": "releases", **to_json(self)}


Inspection = BundleInspection | OutputInspection | ReleasesInspection
