"""Choices about texts. Options import them, so that they are apart from what computes."""

from __future__ import annotations

from typing import Literal

#: Where texts are padded or cut.
Side = Literal["pre", "post"]
#: What a `TextVectorization` layer does to texts before it splits them; `none` is Keras's None.
Standardize = Literal["lower_and_strip_punctuation", "lower", "strip_punctuation", "none"]
#: How it splits texts.
Split = Literal["whitespace", "character"]
#: What becomes of a text with more tokens than the network reads; auto is as the model was trained.
OnLong = Literal["auto", "head", "tail", "head-tail", "window"]
#: Which part of it is used; `window` is all of it.
Part = Literal["head", "tail", "head-tail", "window"]
