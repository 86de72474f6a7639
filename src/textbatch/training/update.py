"""Going on from a model with new rows: its words, its network and its labels stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textbatch.data.readers.label_values import named_labels
from textbatch.data.readers.labelled_rows import label_counts
from textbatch.data.storage.location import Location
from textbatch.errors import BundleError, ConflictError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.fetch import load_model
from textbatch.model.network.architecture import Architecture
from textbatch.model.predictor import open_bundle
from textbatch.report.evaluation import Evaluation
from textbatch.report.listener import Listener
from textbatch.report.training import UpdatedLabel, UpdateRecord
from textbatch.scoring.evaluate import evaluate_rows
from textbatch.text.normalization import RULES_VERSION
from textbatch.training.split.dataset import Splits

#: A label is forgotten if its accuracy falls by more, and by as many rows.
_FALL, _ROWS = 0.05, 3
#: Labels that a message names.
_NAMED = 5


def parent_of(place: Location, splits: Splits) -> tuple[Bundle, Splits]:
    """Load the model to go on from.

    Args:
        place: The bundle.
        splits: The labelled rows.

    Returns:
        The model, and the rows with the labels in its order.

    Raises:
        BundleError: The bundle is missing, damaged or unsafe. Or `train` has not made it, or an
            older one with other rules for words.
        ConflictError: The rows have other labels than the model.
    """
    parent = load_model(place)
    made, labels = parent.classifier, parent.labels
    if not isinstance(made.architecture, Architecture) or made.text is not None:
        raise BundleError(
            "the model of --update comes from Keras: it splits texts in its own way",
            "update it there, or train without --update",
        )
    if made.text_rules != RULES_VERSION:
        raise BundleError(
            f"the model of --update has text rules {made.text_rules}, this textbatch trains with "
            f"{RULES_VERSION}",
            "train it again, without --update",
        )
    if new := [label for label in splits.labels if label not in labels]:
        raise ConflictError(
            f"{len(new):,} of {len(splits.labels):,} labels of the rows are not known to the model "
            "of --update" + _named(new, splits),
            "leave these rows out, or train on old and new rows, without --update",
        )
    if lacking := [label for label in labels if label not in splits.labels]:
        raise ConflictError(
            f"no row has these labels of the model of --update, which would forget them: "
            f"{_shown(lacking)}",
            "give rows of them with --old-rows",
        )
    return parent, replace(splits, labels=labels)


def _named(labels: Sequence[str], splits: Splits) -> str:
    """The names of labels of the rows, unless a wrong column may have been taken for labels."""
    named = named_labels(labels, label_counts(splits.training))
    return f": {named}" if named else ""


def _shown(labels: Sequence[str]) -> str:
    named = ", ".join(map(repr, labels[:_NAMED]))
    more = len(labels) - _NAMED
    return f"{named} and {more:,} more" if more > 0 else named


def what_became(
    parent: Bundle, splits: Splits, after: Evaluation, listener: Listener
) -> UpdateRecord:
    """Compare old and new model on the test rows.

    Args:
        parent: The old model.
        splits: Has the test rows.
        after: What the new model does on them.
        listener: Gets the progress.
    """
    with (
        listener.step("asking the old model", len(splits.test)) as step,
        open_bundle(parent) as predictor,
    ):
        before, _ = evaluate_rows(predictor, splits.test, on_rows=step.advance)
    return UpdateRecord(
        fingerprint=parent.fingerprint,
        before=before.metrics.accuracy,
        after=after.metrics.accuracy,
        labels=[
            UpdatedLabel(label=old.label, rows=old.rows, before=old.recall, after=new.recall)
            for old, new in zip(before.metrics.labels, after.metrics.labels, strict=True)
        ],
    )


def forgotten(record: UpdateRecord, *, old_rows: bool) -> list[str]:
    """Warn of labels that the new model answers much worse than the old one.

    Args:
        record: What the update did.
        old_rows: Whether old rows were learned again.

    Returns:
        A warning, or none.
    """
    fell = []
    for one in record.labels:
        lost = 0.0 if one.before is None or one.after is None else one.before - one.after
        if lost > _FALL and round(lost * one.rows) >= _ROWS:
            fell.append(f"{one.label!r} from {one.before:.1%} to {one.after:.1%}")
    if not fell:
        return []
    more = len(fell) - _NAMED
    told = "; ".join(fell[:_NAMED]) + (f"; and {more:,} more" if more > 0 else "")
    advice = "train on all rows, without --update"
    if not old_rows:
        advice = f"give rows of them with --old-rows, or {advice}"
    return [f"the update makes labels worse on the test rows: {told}; {advice}"]
