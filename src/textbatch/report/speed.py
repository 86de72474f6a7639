"""What int8 and early exit change, in words."""

from __future__ import annotations

from textbatch.model.bundle.records import EarlyExit, Int8Check


def speed_facts(int8: Int8Check | None, early_exit: EarlyExit | None) -> dict[str, str]:
    """What makes a model faster, by the name of its option.

    Args:
        int8: What int8 changes; None if the network cannot use it.
        early_exit: What early exit changes; None if no row may leave early.
    """
    facts = {
        "int8": f"same label on {int8.agreement:.2%} of {int8.rows:,} rows"
        if int8
        else "none for this network",
        "early exit": "none for this model",
    }
    if early_exit:
        same, rows = early_exit.agreement, early_exit.rows
        facts["early exit"] = (
            f"answers {early_exit.share:.0%} of the rows; same label on {same:.2%} of {rows:,} rows"
        )
        if early_exit.int8_agreement is not None:
            facts["fast"] = f"both: same label on {early_exit.int8_agreement:.2%} of the rows"
    return facts
