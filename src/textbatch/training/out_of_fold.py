"""The predictions of a cross-validation, and the file that keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from textbatch.data.json_text import json_text
from textbatch.data.output.columns import vectors
from textbatch.data.output.small_table import write_table
from textbatch.model.quality.calibration import softmax
from textbatch.report.training import FoldScore, FoldsSummary, Spread
from textbatch.types import BoolArray, Float32Array, Int64Array


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfFold:
    """A prediction for every row, by a network that has not seen the row.

    Attributes:
        labels: The labels, in the order of the logits.
        numbers: Number of each row in the inputs, from 1. Shape `(rows,)`.
        label_ids: True labels. Shape `(rows,)`.
        folds: Number of the fold that held the row out, from 1. Shape `(rows,)`.
        logits: Uncalibrated logits; NaN without evidence. Shape `(rows, labels)`.
        evidence: Whether the row has a known token. Shape `(rows,)`.
        scores: What each fold measured, in order.
    """

    labels: tuple[str, ...]
    numbers: Int64Array
    label_ids: Int64Array
    folds: Int64Array
    logits: Float32Array
    evidence: BoolArray
    scores: Sequence[FoldScore]

    def probabilities(self) -> Float32Array:
        """Probabilities, calibrated by each fold's temperature; NaN without evidence.

        Shape `(rows, labels)`.
        """
        calibrated = np.full_like(self.logits, np.nan)
        for score in self.scores:
            here = self.evidence & (self.folds == score.fold)
            calibrated[here] = softmax(self.logits[here], score.temperature)
        return calibrated

    def summary(self) -> FoldsSummary:
        """Mean and sample deviation over the folds, and the folds themselves."""
        return FoldsSummary(
            rows=len(self.numbers),
            without_evidence=int((~self.evidence).sum()),
            accuracy=_spread([score.accuracy for score in self.scores]),
            macro_f1=_spread([score.macro_f1 for score in self.scores]),
            ece=_spread([score.ece for score in self.scores]),
            folds=list(self.scores),
        )

    def table(self) -> pa.Table:
        """The table of the file: row number, labels, confidence, fold, probabilities; no text."""
        probabilities = self.probabilities()
        names = pa.array(self.labels, pa.string())
        best = np.where(self.evidence, np.nan_to_num(probabilities).argmax(axis=1), 0)
        nothing = ~self.evidence
        listed = vectors(probabilities, nothing)
        predicted = names.take(pa.array(best, mask=nothing))
        confidence = pa.array(probabilities[np.arange(len(best)), best], mask=nothing)
        metadata = {"labels": json_text(self.labels)}
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

        Args:
            path: The file to write.
            overwrite: Whether an existing file may be replaced.

        Raises:
            OutputError: The file exists, or its directory does not.
            StorageError: Writing failed.
        """
        write_table(self.table(), path, overwrite=overwrite)


def _spread(values: Sequence[float]) -> Spread:
    return Spread(mean=float(np.mean(values)), deviation=float(np.std(values, ddof=1)))
