"""What a reader of the comparison of two outputs should know about them."""

from __future__ import annotations

from textbatch.data.output.footer import OutputFooter
from textbatch.report.diffing import DiffReport
from textbatch.scoring.diff.output import Output

_SHOWN_LABELS = 5


def remarks_on(old: Output, new: Output, found: DiffReport) -> tuple[str, ...]:
    """What differs about two outputs beside their rows.

    Args:
        old: The old one.
        new: The new one.
        found: What was found.
    """
    told = []
    for side in (old, new):
        if side.footer is None:
            told.append(f"{side.path} does not say which model made it")
        lacking = [name for name in side.names[1:] if name not in side.columns]
        if lacking:
            told.append(f"{side.path} has no {' and no '.join(lacking)}, which is not compared")
    if old.footer and new.footer:
        told += _of_runs(old, new, old.footer, new.footer)
    if found.lost:
        told.append(
            f"{found.lost:,} rows have lost their label: statuses tell why, as low_confidence"
        )
    return tuple(told)


def _of_runs(old: Output, new: Output, before: OutputFooter, after: OutputFooter) -> list[str]:
    told = []
    if old.fingerprint == new.fingerprint:
        told.append("both were made by the same model")
    for word, one, other in (("only the old", old, new), ("only the new", new, old)):
        if own := [label for label in one.labels if label not in set(other.labels)]:
            more = len(own) - _SHOWN_LABELS
            names = ", ".join(own[:_SHOWN_LABELS]) + (f" and {more:,} more" if more > 0 else "")
            told.append(f"labels that {word} model has: {names}")
    options = sorted(before.options.keys() | after.options.keys())
    odd = [name for name in options if before.options.get(name) != after.options.get(name)]
    if odd:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in odd)
        told.append(f"they were made with other options: {flags}")
    if before.version != after.version:
        told.append(f"textbatch {before.version} made the old one, {after.version} the new one")
    return told
