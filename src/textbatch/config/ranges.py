"""The check that every number passes."""

from __future__ import annotations

from textbatch.errors import UsageError


def require(flag: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside its bounds.

    Raises:
        UsageError: It is.
    """
    # Written so that NaN fails as well.
    if not low <= value <= high:
        raise UsageError(f"{flag} is {value}, outside {low} to {high}", f"give {flag} in range")
