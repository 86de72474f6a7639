from __future__ import annotations

import numpy as np
import pytest

from textbatch.model.quality.calibration import expected_calibration_error, softmax
from textbatch.model.quality.reliability import (
    Answers,
    confidence_histogram,
    confident_errors,
    length_histogram,
    reliability_bins,
)

RANDOM = np.random.default_rng(3)
TRUE = RANDOM.integers(0, 4, 500)
SURE = softmax(RANDOM.normal(0, 2, (500, 4)).astype(np.float32))


def test_the_bins_add_up_to_the_calibration_error():
    bins = reliability_bins(SURE, TRUE)
    assert len(bins) == 15
    assert sum(entry.rows for entry in bins) == 500
    gaps = [e.rows * abs(e.accuracy - e.confidence) for e in bins if e.rows]
    assert sum(gaps) / 500 == pytest.approx(expected_calibration_error(SURE, TRUE))


def test_bins_hold_the_confidences_between_their_bounds_and_none_without_rows():
    for entry in reliability_bins(SURE, TRUE):
        if entry.rows:
            assert entry.low <= entry.confidence <= entry.high
        else:
            assert entry.confidence is entry.accuracy is None


def test_full_confidence_falls_into_the_last_bin():
    (last,) = (entry for entry in reliability_bins(np.eye(2, dtype=np.float32), np.array([0, 0]))
               if entry.rows)  # fmt: skip
    assert (last.high, last.rows, last.confidence, last.accuracy) == (1.0, 2, 1.0, 0.5)


def test_right_and_wrong_rows_are_told_apart_by_confidence():
    right, wrong = confidence_histogram(np.array([[0.92, 0.08], [0.34, 0.66], [0.72, 0.28]],
                                                 np.float32), np.array([0, 1, 1]))  # fmt: skip
    assert {i: n for i, n in enumerate(right) if n} == {18: 1, 13: 1}
    assert {i: n for i, n in enumerate(wrong) if n} == {14: 1}


@pytest.mark.parametrize("longest", [1, 5, 76, 77, 400, 100_000])
def test_no_length_bin_holds_both_cut_and_whole_texts(longest):
    lengths = np.append(np.arange(1, min(longest, 300) + 1), longest)
    found = length_histogram(lengths, 76)
    assert sum(found.counts) == len(lengths)
    assert len(found.edges) == len(found.counts) + 1 <= 40
    assert found.edges[0] == 1
    assert 77 in found.edges
    beyond = [n for low, n in zip(found.edges, found.counts, strict=False) if low > 76]
    assert sum(beyond) == found.cut == (lengths > 76).sum()
    assert (found.longest, found.limit) == (longest, 76)


def test_the_surest_errors_come_first_and_rows_without_evidence_never():
    answers = Answers(
        positions=np.array([2, 3, 5, 8, 9]),
        true=np.array([0, 1, 0, 1, 1]),
        evidence=np.array([True, True, False, True, True]),
        uncalibrated=np.zeros((4, 2), np.float32),
        calibrated=np.array([[0.4, 0.6], [0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], np.float32),
    )
    assert answers.predicted.tolist() == [1, 0, -1, 1, 0]
    found = confident_errors(answers, most=2)
    assert [entry[:3] for entry in found] == [(3, 1, 0), (2, 0, 1)]
    assert [entry[3] for entry in found] == pytest.approx([0.9, 0.6])
