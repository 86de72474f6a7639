"""The data contract: which columns the output adds to the input, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.data.json_text import json_text
from textbatch.data.output.explanations import EXPLANATION, explanations
from textbatch.data.output.footer_schemas import carried_entries
from textbatch.data.output.label_lists import label_lists
from textbatch.data.output.label_sets import label_sets
from textbatch.data.readers.column_names import shown
from textbatch.errors import ConflictError
from textbatch.text.tokenizer import Tokenizer
from textbatch.types import BoolArray, Float32Array, Predictions, Status, TextBatch, has_evidence

_CATEGORY = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputColumns:
    """The columns that `score` adds.

    Attributes:
        labels: Labels of the bundle, in order.
        prefix: Prefix of the names of the added columns.
        probabilities: Whether to add the probability of every label.
        top_k: Number of best labels to add; 0 for none.
        min_confidence: Labels with a smaller confidence are withheld.
        thresholds: For each label a threshold; below it the label is withheld too. None for no
            thresholds. Shape `(labels,)`.
        set_limit: The least probability of a label in the set of labels that is added; None for no
            sets.
        novelty: Whether to add how unlike all labels a text is.
        max_novelty: Labels of texts with a smaller novelty are withheld.
        explain: How many tokens that carried the decision to add; 0 for none.
        several: Where a row may have any number of labels, the least probability of each; None
            where it has one. Shape `(labels,)`.
        tokenizer: What made the tokens; None where only the names of the columns matter.
        others: The columns of further models, in the order of the models; each has a prefix of
            its own.
    """

    labels: tuple[str, ...]
    prefix: str = ""
    probabilities: bool = False
    top_k: int = 0
    min_confidence: float = 0.0
    thresholds: Float32Array | None = None
    set_limit: np.float32 | None = None
    novelty: bool = False
    max_novelty: float = 0.0
    explain: int = 0
    several: Float32Array | None = None
    tokenizer: Tokenizer | None = None
    others: tuple[OutputColumns, ...] = ()

    def fields(self) -> list[pa.Field]:
        """The added columns, in order."""
        label, confidence = ("predicted_label", _CATEGORY), ("confidence", pa.float32())
        if self.several is not None:
            label = ("predicted_labels", pa.list_(pa.string()))
            confidence = ("confidences", pa.list_(pa.float32()))
        fields = [
            pa.field(f"{self.prefix}{name}", kind)
            for name, kind in (label, confidence, ("status", _CATEGORY))
        ]
        if self.probabilities:
            kind = vectors_type(len(self.labels))
            metadata = {"labels": json_text(self.labels)}
            fields.append(pa.field(f"{self.prefix}probabilities", kind, metadata=metadata))
        if self.top_k:
            fields.append(pa.field(f"{self.prefix}top_labels", pa.list_(pa.string())))
            fields.append(pa.field(f"{self.prefix}top_confidences", pa.list_(pa.float32())))
        if self.set_limit is not None:
            fields.append(pa.field(f"{self.prefix}label_set", pa.list_(pa.string())))
        if self.novelty:
            fields.append(pa.field(f"{self.prefix}novelty", pa.float32()))
        if self.explain:
            fields.append(pa.field(f"{self.prefix}explanation", EXPLANATION))
        return fields + [field for one in self.others for field in one.fields()]

    def output_schema(self, passed_through: pa.Schema) -> pa.Schema:
        """Make the schema of the output: the columns that are passed through, then the added ones.

        Raises:
            ConflictError: An added column has the name of a column that is passed through.
        """
        added = self.fields()
        self.check_names(passed_through.names)
        metadata = carried_entries(passed_through.metadata or {}, list(passed_through), added)
        return pa.schema([*passed_through, *added], metadata=metadata)

    def check_names(
        self,
        names: Sequence[str],
        remedy: str = "add --prefix, or leave the column out with --columns",
    ) -> None:
        """Check that no added column has the name of a column that is passed through.

        For DuckDB, Spark and others, names that differ only by case are the same.

        Args:
            names: The columns that are passed through.
            remedy: What to do about a clash.

        Raises:
            ConflictError: A column has such a name, or one that differs only by case.
        """
        if clash := self._clash(names):
            raise ConflictError(f"the input already has a column {clash}", remedy)

    def check_partitions(self, partitions: Sequence[tuple[str, str | None]]) -> None:
        """Check that no `key=value` folder above a file hides an added column of its part.

        Raises:
            ConflictError: A folder does.
        """
        if clash := self._clash([name for name, _ in partitions]):
            raise ConflictError(
                f"the input has folders {clash}, which readers take for a column",
                "add --prefix, or rename the folders",
            )

    def _clash(self, names: Sequence[str]) -> str | None:
        """Find the first name that an added column has too; for a message."""
        added = {field.name.casefold(): field.name for field in self.fields()}
        for name in names:
            other = added.get(name.casefold())
            if other == name:
                return shown(name)
            if other:
                return f"{shown(name)}, which many readers do not tell from {shown(other)}"
        return None

    def assemble(
        self, chunk: TextBatch, predictions: Predictions, schema: pa.Schema
    ) -> tuple[pa.RecordBatch, Predictions]:
        """Put the added columns beside the columns of a chunk.

        Args:
            chunk: The rows.
            predictions: Their predictions.
            schema: Schema of the output.

        Returns:
            The rows of the output, and the predictions with the status of withheld labels set.
        """
        answered = [
            columns._answers(alone, chunk.texts)
            for columns, alone in zip((self, *self.others), predictions.each, strict=True)
        ]
        added = [column for columns, _ in answered for column in columns]
        batch = pa.RecordBatch.from_arrays([*chunk.table.columns, *added], schema=schema)
        return batch, Predictions.together([withheld for _, withheld in answered])

    def _answers(
        self, predictions: Predictions, texts: pa.Array
    ) -> tuple[list[pa.Array], Predictions]:
        """The columns of one model, and its predictions with the status of withheld labels."""
        probabilities = predictions.probabilities
        evidence = has_evidence(predictions.status)
        if self.several is not None:
            given: list[pa.Array] = label_lists(probabilities, evidence, self.labels, self.several)
            given.append(_categories(predictions.status, Status.names(), None))
            if self.probabilities:
                given.append(vectors(probabilities, ~evidence))
            return given, Predictions(probabilities=probabilities, status=predictions.status)
        best = np.where(evidence, np.nan_to_num(probabilities, nan=-1.0).argmax(axis=1), 0)
        confidence = np.take_along_axis(probabilities, best[:, None], axis=1)[:, 0]
        needed = np.full(len(best), self.min_confidence, np.float32)
        if self.thresholds is not None:
            needed = np.maximum(needed, self.thresholds[best])
        low = evidence & ~(confidence >= needed)  # in this form NaN is withheld too
        status = np.where(low, np.int8(Status.LOW_CONFIDENCE), predictions.status)
        hidden, extras = ~evidence | low, predictions.extras
        if self.max_novelty and extras is not None:
            novel = evidence & (extras[:, 0] < np.float32(self.max_novelty))
            status, hidden = np.where(novel, np.int8(Status.NOVEL), status), hidden | novel
        added: list[pa.Array] = [
            _categories(best, self.labels, hidden),
            pa.array(confidence, pa.float32(), mask=hidden),
            _categories(status, Status.names(), None),
        ]
        if self.probabilities:
            added.append(vectors(probabilities, ~evidence))
        if self.top_k:
            added.extend(self._top(probabilities, evidence))
        if self.set_limit is not None:
            added.append(label_sets(probabilities, evidence, self.labels, self.set_limit))
        if self.novelty and extras is not None:
            added.append(pa.array(extras[:, 0], pa.float32(), mask=~evidence))
        if self.explain and self.tokenizer is not None and extras is not None:
            told = extras[:, -2 * self.explain :]
            added.append(explanations(self.tokenizer, texts, evidence, told))
        return added, Predictions(probabilities=probabilities, status=status)

    def _top(self, probabilities: Float32Array, evidence: BoolArray) -> list[pa.Array]:
        k = min(self.top_k, len(self.labels))
        # A stable sort: of equal probabilities, the label that is first in the bundle is first.
        order = np.argsort(-probabilities[evidence], axis=1, kind="stable")[:, :k]
        values = np.take_along_axis(probabilities[evidence], order, axis=1)
        offsets = np.zeros(len(evidence) + 1, np.int32)
        np.cumsum(np.where(evidence, k, 0), out=offsets[1:])
        names = pa.array(self.labels, pa.string()).take(pa.array(order.ravel()))
        mask = pa.array(~evidence)
        return [
            pa.ListArray.from_arrays(pa.array(offsets), names, mask=mask),
            pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.ravel()), mask=mask),
        ]


def _categories(
    codes: np.ndarray, names: Sequence[str], mask: BoolArray | None
) -> pa.DictionaryArray:
    indices = pa.array(codes.astype(np.int32), mask=mask)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string()))


def vectors(values: Float32Array, mask: BoolArray) -> pa.Array:
    """Make a column whose rows are lists of equal length.

    Args:
        values: Shape `(rows, numbers)`.
        mask: True for rows that are null. Shape `(rows,)`.

    Returns:
        Shape `(rows,)`.
    """
    if _holds_null_vectors():
        flat = pa.array(np.nan_to_num(values, nan=0.0).ravel(), pa.float32())
        return pa.FixedSizeListArray.from_arrays(flat, values.shape[1], mask=pa.array(mask))
    offsets = np.zeros(len(mask) + 1, np.int32)
    np.cumsum(np.where(mask, 0, values.shape[1]), out=offsets[1:])
    flat = pa.array(values[~mask].ravel(), pa.float32())
    return pa.ListArray.from_arrays(pa.array(offsets), flat, mask=pa.array(mask))


def vectors_type(size: int) -> pa.DataType:
    """The type of such a column, with `size` numbers in a row."""
    return pa.list_(pa.float32(), size if _holds_null_vectors() else -1)


@cache
def _holds_null_vectors() -> bool:
    """Whether Arrow can write a null among lists of fixed size to Parquet: from version 26 on."""
    table = pa.table({"": pa.array([None, [0.0]], pa.list_(pa.float32(), 1))})
    file = pa.BufferOutputStream()
    try:
        pq.write_table(table, file)
        pq.read_table(pa.BufferReader(file.getvalue()))
    except pa.ArrowException:
        return False
    return True
