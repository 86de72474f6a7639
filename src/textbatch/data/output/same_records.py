"""Whether two records of outputs say the same."""

from __future__ import annotations

from dataclasses import fields

from textbatch.data.output.records import RowCounts, RowTotals


def same_totals(one: RowTotals, other: RowTotals) -> bool:
    """Whether two records say the same sums.

    Args:
        one: A record.
        other: Another one.
    """
    return all(getattr(one, name.name) == getattr(other, name.name) for name in fields(RowTotals))


def same_counts(one: RowCounts, other: RowCounts) -> bool:
    """Whether two records have the same counts.

    Args:
        one: A record.
        other: Another record.
    """
    return one.counts() == other.counts()
