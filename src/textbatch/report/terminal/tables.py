"""Tables for the terminal, at most 80 columns wide."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from textbatch.errors import printable
from textbatch.report.confusions import commonest_confusions
from textbatch.report.folds import folds_line
from textbatch.report.inspection import (
    BundleInspection,
    Inspection,
    OutputInspection,
    ReleasesInspection,
)
from textbatch.report.inspection_sets import set_facts
from textbatch.report.labels import shown_label, shown_model
from textbatch.report.speed import speed_facts
from textbatch.report.terminal.releases import versions_table

if TYPE_CHECKING:  # these import scikit-learn, which `inspect` does not need
    from textbatch.report.comparison import Contender
    from textbatch.report.evaluation import Evaluation, SurestError

#: So many surest mistakes are listed, and confusions where their matrix is too wide.
_MOST_CONFUSIONS = 12
#: Smallest width of a label in the confusion matrix, in characters.
_SHORT_LABEL = 7
_WIDTH = 80
#: Largest width of a label in the list of confusions.
_CONFUSED_LABEL = 25
_CORNER = "true ↓ predicted →"


def evaluation_tables(evaluation: Evaluation) -> Iterator[RenderableType]:
    """Show an evaluation: summary, labels, confusion matrix, and the rows that were left out."""
    metrics = evaluation.metrics
    yield Text(
        f"{metrics.rows:,} rows: accuracy {metrics.accuracy:.4f}, macro F1 {metrics.macro_f1:.4f}\n"
        f"expected calibration error {evaluation.ece_after:.4f} "
        f"({evaluation.ece_before:.4f} before calibration)"
    )
    if evaluation.label_sets:
        told = evaluation.facts()
        lines = (f"{name}: {told[name]}" for name in told if name.startswith("label "))
        yield Text("\n".join(lines))
    table = plain_table("label", "precision", "recall", "F1", "rows")
    for entry in metrics.labels:
        values = (_share(entry.precision), _share(entry.recall), _share(entry.f1))
        table.add_row(Text(shown_label(entry.label)), *values, f"{entry.rows:,}")
    yield table
    yield limits_table([asdict(one) for one in evaluation.limits])
    yield _confusion(evaluation) if _fits(evaluation) else _confusions(evaluation)
    statuses = {name: n for name, n in evaluation.statuses.items() if name != "ok"}
    if statuses:
        yield Text("not plainly ok: " + _counts(statuses))
    if evaluation.errors:
        yield _errors(evaluation.errors)
    if evaluation.unlabelled:
        yield Text(f"left out, without a label: {evaluation.unlabelled:,} rows")
    if evaluation.unreadable:
        yield Text(f"left out, cannot be read: {evaluation.unreadable:,} rows")
    if evaluation.unseen_labels:
        yield Text(
            "labels that the model has never seen, in no metric: "
            + _counts(evaluation.unseen_labels)
        )


def _errors(errors: Sequence[SurestError]) -> Table:
    """The surest mistakes, as many as a screen has room for."""
    table = plain_table("row", "sure", "true → predicted", "words that carried it", right=False)
    for one in errors[:_MOST_CONFUSIONS]:
        labels = f"{shown_label(one.true)} → {shown_label(one.predicted)}"
        sure, words = f"{one.confidence:.4f}", printable(one.words)
        table.add_row(f"{one.row:,}", sure, Text(labels), Text(words))
    return table


def comparison_table(
    contenders: Sequence[Contender], bundle: Evaluation, *, measured_on: str
) -> Table:
    """Show a model beside simple models, on the same rows.

    Args:
        contenders: The simple models.
        bundle: The evaluation of the model.
        measured_on: The rows, in words.
    """
    table = plain_table(f"on the {measured_on}", "accuracy", "macro F1")
    for one in contenders:
        table.add_row(one.name, f"{one.accuracy:.4f}", f"{one.macro_f1:.4f}")
    found = bundle.metrics
    table.add_row("this model", f"{found.accuracy:.4f}", f"{found.macro_f1:.4f}")
    return table


def limits_table(limits: Sequence[Mapping[str, Any]]) -> Table:
    """Show what a limit on the confidence would do.

    Args:
        limits: `LimitMeasure`s as JSON values.
    """
    table = plain_table("confidence at least", "answered", "accuracy", "95 % interval", "rows")
    for one in limits:
        interval = "–" if one["low"] is None else f"{one['low']:.3f} – {one['high']:.3f}"
        table.add_row(
            f"{one['min_confidence']:.2f}",
            f"{one['answered']:.1%}",
            _share(one["accuracy"]),
            interval,
            f"{one['rows']:,}",
        )
    return table


def inspection_tables(found: Inspection) -> Iterator[RenderableType]:
    """Show what `inspect_path` found.

    Args:
        found: A bundle, a folder of releases, or an output.
    """
    if isinstance(found, ReleasesInspection):
        yield versions_table(found)
        yield from inspection_tables(found.model)
        return
    facts = _of_output(found) if isinstance(found, OutputInspection) else _of_bundle(found)
    kind = "output" if isinstance(found, OutputInspection) else "model"
    path = printable(found.path) if kind == "output" else shown_model(found.path)
    table = plain_table(kind, path, right=False)
    for name, value in facts.items():
        table.add_row(name, Text(printable(value)))
    yield table
    test = {} if isinstance(found, OutputInspection) else found.metrics.get("test") or {}
    if test.get("limits"):
        yield limits_table(test["limits"])


def _of_bundle(found: BundleInspection) -> dict[str, str]:
    calibration, profile = found.calibration, found.profile
    facts = {
        "fingerprint": found.fingerprint,
        "made": f"{found.created} by textbatch {found.textbatch}",
        "preset": found.settings.preset,
        "text column": found.settings.text_column,
        "labels": ", ".join(map(shown_label, found.labels)),
        "network": found.network,
        "temperature": f"{calibration.temperature:.3f}, fitted on {calibration.rows:,} rows"
        if calibration.rows
        else "none: not calibrated, the confidences are the network's own",
        "texts": f"{profile.oov_share:.1%} unknown tokens, {profile.truncated_share:.1%} truncated"
        if profile.rows
        else "not known: the model was made without any",
        "long texts": long_texts_of(found),
        "size": f"{sum(file.size for file in found.files.values()) / 1e6:.1f} MB",
    }
    facts |= speed_facts(found.int8, found.early_exit)
    if found.multi_label:
        facts |= set_facts(found)
    test = found.metrics.get("test")
    if test:
        facts["test"] = (
            f"accuracy {test['metrics']['accuracy']:.4f}, macro F1 "
            f"{test['metrics']['macro_f1']:.4f}, ECE {test['ece_after']:.4f} "
            f"on {test['metrics']['rows']:,} rows"
        )
    if folds := found.metrics.get("folds"):
        facts["cross-validation"] = folds_line(folds)
    return facts


def _of_output(found: OutputInspection) -> dict[str, str]:
    parts = "" if found.parts is None else f" in {found.parts:,} parts"
    if found.bad_files:
        were = "input file was" if found.bad_files == 1 else "input files were"
        parts += f"; {found.bad_files:,} {were} set aside"
    answers = {"statuses": _counts(found.statuses), "labels": _counts(found.labels)}
    if found.models:
        answers = {}
    for name, one in found.models.items():
        answers[f"{name}: model"] = one.fingerprint
        answers[f"{name}: statuses"] = _counts(one.statuses)
        answers[f"{name}: labels"] = _counts(one.labels)
    return {
        "rows": f"{found.rows:,}{parts}",
        "models" if found.models else "model": found.fingerprint,
        "made": f"by textbatch {found.textbatch}, run {found.run_id}",
        **answers,
        "columns": ", ".join(f"{name} {_kind(kind)}" for name, kind in found.columns.items()),
    }


def _fits(evaluation: Evaluation) -> bool:
    """Whether the confusion matrix is not wider than a terminal, with labels that can be read."""
    metrics = evaluation.metrics
    labels = [shown_label(entry.label) for entry in metrics.labels]
    columns = zip(labels, zip(*metrics.confusion, strict=True), strict=True)
    widths = (
        max(min(len(label), _SHORT_LABEL), *(len(f"{count:,}") for count in counts))
        for label, counts in columns
    )
    # Each column has three characters of padding.
    return max(len(_CORNER), *map(len, labels)) + 2 + sum(w + 3 for w in widths) <= _WIDTH


def _confusions(evaluation: Evaluation) -> Table:
    metrics = evaluation.metrics
    table = plain_table("commonest confusions: true", "predicted", "rows", "of the true")
    table.columns[1].justify = "left"
    for true, predicted, count, share in commonest_confusions(metrics, most=_MOST_CONFUSIONS):
        names = (Text(_fitting(metrics.labels[one].label)) for one in (true, predicted))
        table.add_row(*names, f"{count:,}", f"{share:.0%}")
    return table


def _fitting(label: str) -> str:
    """A label of which two fit beside two numbers. Many differ at their ends alone."""
    name = shown_label(label)
    if len(name) <= _CONFUSED_LABEL:
        return name
    end = _CONFUSED_LABEL // 2 - 1
    return f"{name[: _CONFUSED_LABEL - 1 - end]}…{name[-end:]}"


def _confusion(evaluation: Evaluation) -> Table:
    labels = [shown_label(entry.label) for entry in evaluation.metrics.labels]
    first = max(len(_CORNER), *map(len, labels))
    # Each column has three characters of padding.
    room = max(_SHORT_LABEL, (_WIDTH - first - 2) // len(labels) - 3)
    short = [label if len(label) <= room else f"{label[: room - 1]}…" for label in labels]
    table = plain_table(_CORNER, *short)
    for label, row in zip(labels, evaluation.metrics.confusion, strict=True):
        table.add_row(Text(label), *(f"{count:,}" for count in row))
    return table


def plain_table(first: str, *others: str, right: bool = True) -> Table:
    """An empty table.

    Args:
        first: The head of its first column.
        *others: The heads of the others.
        right: Whether these are for numbers.
    """
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column(Text(first))
    for name in others:
        table.add_column(Text(name), justify="right" if right else "left", overflow="fold")
    return table


def _kind(kind: str) -> str:
    """The type of a column, without what Arrow says about the indices of a dictionary."""
    return re.sub(r"dictionary<values=(\w+),[^>]*>", r"dictionary<\1>", kind)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{shown_label(name)} {count:,}" for name, count in counts.items())


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def long_texts_of(found: BundleInspection) -> str:
    """What the model does with texts that are longer than what it reads at once."""
    limit = f"of more than {found.architecture.max_sequence_length:,} tokens"
    used = f"the {found.on_long} is used"
    if found.on_long == "window":
        used = "all is read, in windows"
    return f"{limit} {used}"
