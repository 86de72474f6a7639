"""The answers of models as bytes: the payload of a record of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from textbatch.types import Predictions, has_evidence


def row_bytes(widths: Sequence[int], *, whole: bool, extras: int = 0) -> int:
    """How many bytes a row has.

    Args:
        widths: How many labels each model has.
        whole: Whether all probabilities are kept, not only the best.
        extras: How many further numbers each model tells.
    """
    return sum(_answer_bytes(width, whole=whole) + 4 * extras for width in widths)


def packed(predictions: Predictions, *, whole: bool) -> bytes:
    """Write the answers of one or several models.

    Args:
        predictions: The answers.
        whole: As in `row_bytes`.
    """
    return b"".join(
        _packed(alone, whole=whole)
        + (b"" if alone.extras is None else alone.extras.astype("<f4", copy=False).tobytes())
        for alone in predictions.each
    )


def unpacked(
    payload: bytes, count: int, widths: Sequence[int], *, whole: bool, extras: int = 0
) -> Predictions:
    """Read them.

    Args:
        payload: What `packed` wrote.
        count: How many rows it has.
        widths: As in `row_bytes`.
        whole: As in `row_bytes`.
        extras: As in `row_bytes`.
    """
    answers, start = [], 0
    for width in widths:
        end = start + count * _answer_bytes(width, whole=whole)
        answer = _unpacked(payload[start:end], count, width, whole=whole)
        start = end
        if extras:
            end = start + count * 4 * extras
            told = np.frombuffer(payload[start:end], "<f4").reshape(count, extras)
            answer, start = replace(answer, extras=told), end
        answers.append(answer)
    return Predictions.together(answers)


def _answer_bytes(width: int, *, whole: bool) -> int:
    return 1 + (4 * width if whole else 8)


def _packed(predictions: Predictions, *, whole: bool) -> bytes:
    status, probabilities = predictions.status, predictions.probabilities
    if whole:
        return status.tobytes() + probabilities.astype("<f4", copy=False).tobytes()
    evidence = has_evidence(status)
    best = np.where(evidence, np.nan_to_num(probabilities, nan=-1.0).argmax(axis=1), 0)
    confidence = np.take_along_axis(probabilities, best[:, None], axis=1)
    return status.tobytes() + best.astype("<i4").tobytes() + confidence.astype("<f4").tobytes()


def _unpacked(payload: bytes, count: int, width: int, *, whole: bool) -> Predictions:
    status = np.frombuffer(payload, np.int8, count)
    if whole:
        flat = np.frombuffer(payload, "<f4", offset=count)
        return Predictions(probabilities=flat.reshape(count, width), status=status)
    best = np.frombuffer(payload, "<i4", count, offset=count)
    confidence = np.frombuffer(payload, "<f4", count, offset=5 * count)
    # Only the best label has its probability. The output does not depend on the others.
    probabilities = np.zeros((count, width), np.float32)
    np.put_along_axis(probabilities, best[:, None].astype(np.intp), confidence[:, None], axis=1)
    probabilities[~has_evidence(status)] = np.nan
    return Predictions(probabilities=probabilities, status=status)
