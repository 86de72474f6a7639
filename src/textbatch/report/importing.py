"""The report of `import`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from textbatch.model.quality.calibration import Calibration
from textbatch.report.files import SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What a run of `import` did.

    Attributes:
        model: The bundle that was written.
        fingerprint: Its fingerprint.
        network: The network in one line.
        words: Words that the model knows.
        labels: The labels.
        keras: The version of Keras that wrote the file; empty if it does not say.
        calibration: How the temperature was found; None without `--calibrate`.
        rows: Labelled rows that it was calibrated with.
        accuracy: Share of these rows that get their label; None without `--calibrate`.
        warnings: What a user should know.
        seconds: Wall time of the whole run.
    """

    model: str
    fingerprint: str
    network: str
    words: int
    labels: list[str]
    keras: str
    calibration: Calibration | None
    rows: int
    accuracy: float | None
    warnings: list[str]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self), "state": "done"}
