"""Choices about texts. Options import them, so that they are apart from what computes."""

from __future__ import annotations

from typing import Literal

#: Where texts are padded or cut.
Side = Literal["pre", "post"]
