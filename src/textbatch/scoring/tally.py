"""Counting rows by status and label, chunk by chunk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import numpy as np
import pyarrow as pa

from textbatch.data.output.adapted import AdaptedPriors
from textbatch.data.output.answer_counts import AnswerCounts, WorkCounts
from textbatch.data.output.records import RowCounts
from textbatch.data.output.signs import LENGTH_EDGES
from textbatch.model.quality.reference import AnswerSigns, characters_of, lengths_counted
from textbatch.scoring.bundles import Bundles
from textbatch.scoring.set_counts import SetCounts
from textbatch.types import (
    CONFIDENCE_BINS,
    Int64Array,
    Predictions,
    Status,
    has_evidence,
    has_label,
)


class Tally:
    """Counts the rows of one file."""

    def __init__(self, bundles: Bundles) -> None:
        """Nothing is counted yet. The time for `rate` starts here.

        Args:
            bundles: The models that answer.
        """
        self._bundles = bundles
        # A model that gives any number of labels runs alone.
        several = bundles.each[0].classifier.multi_label
        self._sets = SetCounts(bundles.labels, several.thresholds) if several else None
        self._answers = [] if several else [_Answers(one.labels) for one in bundles.each]
        self._rows = 0
        self._lengths = np.zeros(len(LENGTH_EDGES), np.int64)
        self._started = time.perf_counter()

    def add(self, predictions: Predictions, texts: pa.Array, own: Predictions) -> None:
        """Count a chunk of the output.

        Args:
            predictions: The predictions of its rows; withheld labels have their own status.
            texts: The texts of the same rows. Shape `(rows,)`.
            own: What the models themselves answer, which runs are compared by; with
                `--adapt-priors` these may be other probabilities.
        """
        self._rows += len(predictions)
        # Of a blank text the length tells nothing.
        written = predictions.status <= Status.NO_KNOWN_TOKENS
        if self._sets:
            self._sets.add(predictions)
            return
        self._lengths += lengths_counted(characters_of(texts, written))
        for answers, alone, asked in zip(self._answers, predictions.each, own.each, strict=True):
            answers.add(alone, asked)

    def counts(self, *, quarantined: int, priors: Sequence[AdaptedPriors] = ()) -> RowCounts:
        """The counts so far; every row that was added counts as written.

        Args:
            quarantined: Rows that were moved to the quarantine file.
            priors: With `--adapt-priors`, what was found for each model.
        """
        told = [
            answers.counts(self._lengths, found)
            for answers, found in zip_longest(self._answers, priors)
        ]
        rows: dict[str, Any] = {
            "rows_in": self._rows + quarantined,
            "rows_out": self._rows,
            "rows_quarantined": quarantined,
        }
        if self._sets:
            return RowCounts(**rows, **self._sets.counts())
        if len(self._answers) == 1:
            return RowCounts(**rows, **told[0])
        models = {
            name: AnswerCounts(fingerprint=bundle.fingerprint, **one)
            for name, bundle, one in zip(self._bundles.names, self._bundles.each, told, strict=True)
        }
        return RowCounts(**rows, models=models)

    def rate(self, rows: int) -> float | None:
        """Rows per second so far.

        Args:
            rows: How many were read.

        Returns:
            None where there was no row.
        """
        return round(rows / (time.perf_counter() - self._started), 1) if rows else None


class _Answers:
    """Counts the answers of one model."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._statuses = np.zeros(len(Status), np.int64)
        self._label_counts = np.zeros(len(labels), np.int64)
        self._confidence_sum = 0.0
        self._histogram = np.zeros(CONFIDENCE_BINS, np.int64)
        self._own, self._adapted = AnswerSigns(labels), AnswerSigns(labels)

    def add(self, predictions: Predictions, own: Predictions) -> None:
        """Count the answers to a chunk."""
        self._statuses += np.bincount(predictions.status, minlength=len(Status))
        labelled = predictions.probabilities[has_label(predictions.status)]
        self._label_counts += np.bincount(
            labelled.argmax(axis=1), minlength=len(self._label_counts)
        )
        self._confidence_sum += float(labelled.max(axis=1, initial=0).sum(dtype=np.float64))
        answered = predictions.probabilities[has_evidence(predictions.status)]
        sureness = answered.max(axis=1, initial=0)
        self._histogram += np.histogram(sureness, bins=CONFIDENCE_BINS, range=(0.0, 1.0))[0]
        if own.probabilities is not predictions.probabilities:
            self._adapted.add(answered, sureness)
            answered = own.probabilities[has_evidence(own.status)]
            sureness = answered.max(axis=1, initial=0)
        self._own.add(answered, sureness)

    def counts(self, lengths: Int64Array, priors: AdaptedPriors | None) -> dict[str, Any]:
        """The fields of a record that tell of the answers.

        Args:
            lengths: The texts by their length; see `Signs.lengths`. Shape `(LENGTH_EDGES,)`.
            priors: What `--adapt-priors` found.
        """
        if priors is not None and priors.adapted:
            priors = replace(priors, signs=self._adapted.signs(np.zeros(0, np.int64)))
        labelled = int(self._label_counts.sum())
        names = Status.names()
        return {
            "statuses": {n: int(c) for n, c in zip(names, self._statuses, strict=True) if c},
            "labels": dict(zip(self._labels, self._label_counts.tolist(), strict=True)),
            "mean_confidence": self._confidence_sum / labelled if labelled else None,
            "confidence_histogram": self._histogram.tolist(),
            "signs": self._own.signs(lengths),
            "priors": priors,
        }


def work_since(
    before: Sequence[WorkCounts], now: Sequence[WorkCounts], names: Sequence[str]
) -> dict[str, Any]:
    """The fields of a result that tell of tokens, and of rows that a linear model answered.

    Args:
        before: For each model what `Predictors.work` told before the file.
        now: The same after the file.
        names: The names of the models.
    """
    each = [after - then for then, after in zip(before, now, strict=True)]
    whole = sum(each, WorkCounts())
    return {
        "tokens": whole.tokens,
        "unknown_tokens": whole.unknown,
        "rows_early": whole.early,
        "spread": whole.spread,
        "work_of": dict(zip(names, each, strict=True)) if len(each) > 1 else {},
    }
