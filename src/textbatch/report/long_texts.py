"""A note where many texts were longer than what the model reads of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textbatch.model.quality.profile import TrainingProfile
from textbatch.report.scoring import RunReport
from textbatch.text.choices import OnLong

#: Cut rows beyond the share in training that are more than a few; and the least rows that tell.
_MUCH, _LEAST_ROWS = 0.02, 20


def cut_notes(
    report: RunReport, profiles: Sequence[TrainingProfile | None], on_long: OnLong
) -> Iterator[str]:
    """Say where clearly more texts were cut than in training.

    Args:
        report: What the run did.
        profiles: What the training of each model looked like; None where it is not known.
        on_long: What the run did with long texts.

    Yields:
        A note for each model that is concerned.
    """
    for one, profile in zip(report.sections, profiles, strict=True):
        rows, cut = sum(one.statuses.values()), one.statuses.get("truncated", 0)
        if profile is None or on_long == "window" or rows < _LEAST_ROWS:
            continue
        if cut / rows > profile.truncated_share + _MUCH:
            longest = profile.tokens_by_quantile.get("0.99")
            known = f", where 99 of 100 had at most {longest:,.0f} tokens" if longest else ""
            model = f"model {one.name}: " if one.name else ""
            yield (
                f"{model}{cut / rows:.0%} of the texts are longer than what the model reads and "
                f"were cut, {profile.truncated_share:.1%} in training{known}; "
                "`score --on-long window` reads all of a text"
            )
