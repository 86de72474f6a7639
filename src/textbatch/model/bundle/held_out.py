"""The file with the held-out answers."""

from __future__ import annotations

from dataclasses import asdict

from textbatch.errors import BundleError
from textbatch.model.bundle.strict_json import dump_json, parse_json, read_fields
from textbatch.model.layout import LAYOUT, RESTORE
from textbatch.model.quality.thresholds import HeldOut

#: Models that were trained before there were label sets do not have it.
_LATER = "true_probabilities"


def held_out_bytes(held_out: HeldOut) -> bytes:
    """Write the file.

    Args:
        held_out: The answers.
    """
    told = asdict(held_out)
    return dump_json({name: one for name, one in told.items() if one or name != _LATER})


def read_held_out(data: bytes, num_labels: int) -> HeldOut:
    """Read the file.

    Args:
        data: Its content.
        num_labels: Number of labels.

    Raises:
        BundleError: It is malformed.
    """
    value = parse_json(data, LAYOUT.held_out)
    told = {_LATER: [], **value} if isinstance(value, dict) else value
    found = read_fields(HeldOut, told, LAYOUT.held_out)
    sizes = [list(map(len, rows)) for rows in (found.confidences, found.correct)]
    true = found.true_probabilities
    lists = [*found.confidences, true]
    descending = all(rows == sorted(rows, reverse=True) for rows in lists)
    fits = len(sizes[0]) == num_labels and len(true) in (0, sum(sizes[0]))
    if sizes[0] != sizes[1] or not fits or not descending:
        raise BundleError(f"{LAYOUT.held_out} is malformed", RESTORE)
    return found
