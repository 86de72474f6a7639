"""What a cross-validation found, and the file that keeps its answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from textbatch.data.output.columns import vectors
from textbatch.data.output.small_table import write_table
from textbatch.model.quality.calibration import softmax
from textbatch.types import BoolArray, Float32Array, Int64Array

_MEASURES = ("accuracy", "macro_f1", "ece")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldScore:
    """How the network that had not seen a fold did on it.

    Attributes:
        fold: From 1.
        rows: In the fold.
        accuracy: Share of right labels; a row without evidence counts as wrong.
        macro_f1: See `quality.metrics.Metrics`.
        ece: Expected calibration error, after `temperature`.
        temperature: Fitted on rows of the other folds.
        best_epoch: The pass whose weights answered.
    """

    fold: int
    rows: int
    accuracy: float
    macro_f1: float
    ece: float
    temperature: float
    best_epoch: int

    def line(self, folds: int) -> str:
        """The fold on one line, for a person who waits."""
        return (
            f"fold {self.fold} of {folds}: accuracy {self.accuracy:.4f}, macro F1 "
            f"{self.macro_f1:.4f}, ECE {self.ece:.4f} on {self.rows:,} rows"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfFold:
    """Answers for every row by a network that has not seen it.

    Attributes:
        labels: In the order of the logits.
        numbers: Each row's number in the inputs, from 1. Shape `(rows,)`.
        label_ids: True labels. Shape `(rows,)`.
        folds: The fold that held the row out, from 1. Shape `(rows,)`.
        logits: Uncalibrated; NaN without evidence. Shape `(rows, labels)`.
        evidence: Where there is a known token. Shape `(rows,)`.
        scores: Of the folds, in order.
    """

    labels: tuple[str, ...]
    numbers: Int64Array
    label_ids: Int64Array
    folds: Int64Array
    logits: Float32Array
    evidence: BoolArray
    scores: Sequence[FoldScore]

    def probabilities(self) -> Float32Array:
        """Calibrated by each fold's own temperature; NaN without evidence. `(rows, labels)`."""
        calibrated = np.full_like(self.logits, np.nan)
        for score in self.scores:
            here = self.evidence & (self.folds == score.fold)
            calibrated[here] = softmax(self.logits[here], score.temperature)
        return calibrated

    def summary(self) -> dict[str, Any]:
        """Mean and sample deviation over the folds, and the folds themselves, as JSON values."""
        values = {name: [getattr(score, name) for score in self.scores] for name in _MEASURES}
        means = {
            name: {"mean": float(np.mean(found)), "deviation": float(np.std(found, ddof=1))}
            for name, found in values.items()
        }
        rows = {"rows": len(self.numbers), "without_evidence": int((~self.evidence).sum())}
        return {**rows, **means, "folds": [asdict(score) for score in self.scores]}

    def table(self) -> pa.Table:
        """Row number, labels, confidence, fold and probabilities; no text."""
        probabilities = self.probabilities()
        names = pa.array(self.labels, pa.string())
        best = np.where(self.evidence, np.nan_to_num(probabilities).argmax(axis=1), 0)
        nothing = ~self.evidence
        listed = vectors(probabilities, nothing)
        predicted = names.take(pa.array(best, mask=nothing))
        confidence = pa.array(probabilities[np.arange(len(best)), best], mask=nothing)
        metadata = {"labels": json.dumps(self.labels, ensure_ascii=False)}
        columns = {
            pa.field("row", pa.int64()): pa.array(self.numbers),
            pa.field("label", pa.string()): names.take(pa.array(self.label_ids)),
            pa.field("predicted_label", pa.string()): predicted,
            pa.field("confidence", pa.float32()): confidence,
            pa.field("fold", pa.int32()): pa.array(self.folds, pa.int32()),
            pa.field("probabilities", listed.type, metadata=metadata): listed,
        }
        return pa.table(list(columns.values()), schema=pa.schema(list(columns)))

    def write(self, path: Path, *, overwrite: bool) -> None:
        """Write the table as Parquet.

        Raises:
            OutputError: The file exists, or its directory does not.
            StorageError: Writing failed.
        """
        write_table(self.table(), path, overwrite=overwrite)


def summary_line(summary: dict[str, Any]) -> str:
    """A summary on one line."""
    told = ", ".join(
        f"{name} {summary[key]['mean']:.4f} ± {summary[key]['deviation']:.4f}"
        for key, name in zip(_MEASURES, ("accuracy", "macro F1", "ECE"), strict=True)
    )
    return f"{len(summary['folds'])} folds, {summary['rows']:,} rows: {told}"
