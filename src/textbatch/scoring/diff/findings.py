"""The report, from what was counted."""

from __future__ import annotations

from dataclasses import dataclass

from textbatch.report.diffing import (
    ConfidenceShift,
    DiffReport,
    DiffSide,
    FlipExample,
    FlipPair,
    LabelChange,
    StatusChange,
)
from textbatch.scoring.diff.answers import NONE, Codes
from textbatch.scoring.diff.examples import Flip, WorstFlips
from textbatch.scoring.diff.tally import Tally
from textbatch.scoring.releases.comparison import comparison_of

#: A thousand labels could have a million pairs.
_MOST_PAIRS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted, and of what.

    Attributes:
        paths: Of the old side and the new one.
        fingerprints: Of the old model and the new one.
        labels: The labels by code.
        statuses: The statuses by code.
        tally: The counts.
        worst: The worst flips.
        only: Rows that only the old side has, and those that only the new one has.
    """

    paths: tuple[str, str]
    fingerprints: tuple[str, str]
    labels: Codes
    statuses: Codes
    tally: Tally
    worst: WorstFlips
    only: tuple[int, int]


def report_of(found: Counted, *, matched_by: str) -> DiffReport:
    """Make the report.

    Args:
        found: What was counted.
        matched_by: How rows were matched.
    """
    tally = found.tally
    flips = sum(tally.flips.values())
    pairs = _flip_pairs(found)
    right = tally.right
    truth = bool(tally.true_rows)
    return DiffReport(
        old=_side(found, 0),
        new=_side(found, 1),
        matched_by=matched_by,
        rows=tally.rows,
        only_old=found.only[0],
        only_new=found.only[1],
        flips=flips,
        flip_share=flips / max(1, tally.rows),
        lost=sum(rows for (_, new), rows in tally.flips.items() if new == NONE),
        gained=sum(rows for (old, _), rows in tally.flips.items() if old == NONE),
        flip_pairs=pairs,
        other_flips=flips - sum(one.rows for one in pairs),
        labels=_labels(found),
        statuses=_statuses(found),
        confidence=_confidence(tally),
        comparison=comparison_of(
            both_right=right[True, True],
            only_new_right=right[False, True],
            only_current_right=right[True, False],
            both_wrong=right[False, False],
        )
        if truth
        else None,
        true_rows=tally.true_rows,
        unseen_labels={found.labels.texts[code]: rows for code, rows in tally.unseen.items()},
        examples=tuple(_example(flip, found.labels) for flip in found.worst.flips),
    )


def _side(found: Counted, which: int) -> DiffSide:
    tally = found.tally
    total = (tally.old_sum, tally.new_sum)[which]
    right = sum(rows for told, rows in tally.right.items() if told[which])
    return DiffSide(
        path=found.paths[which],
        rows=tally.rows + found.only[which],
        fingerprint=found.fingerprints[which],
        mean_confidence=total / tally.confident if tally.confident else None,
        accuracy=right / tally.true_rows if tally.true_rows else None,
    )


def _flip_pairs(found: Counted) -> tuple[FlipPair, ...]:
    tally, truth = found.tally, found.tally.true_rows
    most = sorted(tally.flips.items(), key=lambda one: (-one[1], one[0]))[:_MOST_PAIRS]
    return tuple(
        FlipPair(
            old=_named(found.labels, old),
            new=_named(found.labels, new),
            rows=rows,
            mended=tally.mended[old, new] if truth else None,
            broken=tally.broken[old, new] if truth else None,
        )
        for (old, new), rows in most
    )


def _labels(found: Counted) -> tuple[LabelChange, ...]:
    old, new = found.tally.old_labels, found.tally.new_labels
    codes = [code for code in range(len(found.labels.texts)) if old[code] or new[code]]
    codes += [NONE] if old[NONE] or new[NONE] else []
    return tuple(
        LabelChange(label=_named(found.labels, code), old=old[code], new=new[code])
        for code in codes
    )


def _statuses(found: Counted) -> tuple[StatusChange, ...]:
    changed = [(pair, rows) for pair, rows in found.tally.statuses.items() if pair[0] != pair[1]]
    return tuple(
        StatusChange(old=_named(found.statuses, old), new=_named(found.statuses, new), rows=rows)
        for (old, new), rows in sorted(changed, key=lambda one: (-one[1], one[0]))
    )


def _confidence(tally: Tally) -> ConfidenceShift:
    rows = tally.confident
    return ConfidenceShift(
        rows=rows,
        mean=(tally.new_sum - tally.old_sum) / rows if rows else None,
        mean_absolute=tally.moved_sum / rows if rows else None,
        old_histogram=tuple(tally.old_bins.tolist()),
        new_histogram=tuple(tally.new_bins.tolist()),
        shift_histogram=tuple(tally.shift_bins.tolist()),
    )


def _example(flip: Flip, labels: Codes) -> FlipExample:
    return FlipExample(
        old_row=flip.old_row,
        new_row=flip.new_row,
        old=_named(labels, flip.old),
        new=_named(labels, flip.new),
        true=_named(labels, flip.true),
        old_confidence=flip.old_confidence,
        new_confidence=flip.new_confidence,
    )


def _named(codes: Codes, code: int) -> str | None:
    return None if code == NONE else codes.texts[code]
