"""Sizes in bytes as people write them."""

from __future__ import annotations

import re

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def bytes_of(text: str) -> int:
    """Read a size: a number of bytes, or a number with K, M or G (powers of 1,024).

    Returns:
        The bytes; 0 for what is no size.
    """
    match = re.fullmatch(r"([0-9]{1,15})([KMG]?)(i?B)?", text.strip(), re.IGNORECASE)
    return int(match[1]) * _UNITS[match[2].upper()] if match else 0
