"""The report of `export`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from textbatch.report.files import SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How far the answers of an exported model are from the model's.

    Attributes:
        rows: Texts that were compared.
        largest: The largest difference of a probability.
        other_labels: Texts that get another label.
    """

    rows: int
    largest: float
    other_labels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What a run of `export` did.

    Attributes:
        model: The model.
        output: The file or directory that was written.
        format: Its form.
        fingerprint: The fingerprint of the model.
        bytes: Size of what was written.
        golden_rows: How far its answers to the model's golden rows are from the model's.
        unknown_words: The same for these rows with misspelt words, where parts of unknown words
            count in the model and not in the output; None where nothing is left out.
        warnings: What a user should know: what is left out.
        seconds: Wall time of the whole run.
    """

    model: str
    output: str
    format: str
    fingerprint: str
    bytes: int
    golden_rows: Comparison
    unknown_words: Comparison | None
    warnings: list[str]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self), "state": "done"}
