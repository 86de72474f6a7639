"""A warning where a model is asked about rows that it was made from."""

from __future__ import annotations

import pyarrow as pa

from textbatch.model.quality.text_sketch import TextSketch

#: A smaller share can be chance: some texts, as a greeting, are everywhere.
_MUCH = 0.05


def known_share(sketch: TextSketch | None, texts: pa.Array) -> float | None:
    """The share of texts that a model was trained on, if that is more than chance.

    Args:
        sketch: Of the model's training and validation texts; None if it does not know them.
        texts: The texts. Shape `(rows,)`.
    """
    share = sketch.share_of(texts) if sketch else None
    return None if share is None or share < _MUCH else share


def known_rows_warning(sketch: TextSketch | None, texts: pa.Array, *, advice: str) -> str | None:
    """A warning if many of the texts were among those that the model was trained on.

    Args:
        sketch: Of the model's training and validation texts; None if it does not know them.
        texts: The texts that it is asked about. Shape `(rows,)`.
        advice: What to do.
    """
    share = known_share(sketch, texts)
    if share is None:
        return None
    return (
        f"about {share:.0%} of the rows have texts that the model was trained on, where it is "
        f"right more often than elsewhere: {advice}"
    )
