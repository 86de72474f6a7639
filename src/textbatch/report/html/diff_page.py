"""The HTML page about a comparison: one file, without scripts, with nothing from outside."""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup

from textbatch import __version__
from textbatch.report.diffing import NO_LABEL, DiffReport
from textbatch.report.html.diff_figures import confidences_figure, shift_figure
from textbatch.report.html.page import page_environment, read_part
from textbatch.report.html.svg import drawing

_MOST_PAIRS, _MOST_STATUSES = 200, 30


def diff_page(report: DiffReport, when: str = "") -> str:
    """Make the page about a comparison.

    Args:
        report: What has changed.
        when: ISO 8601; empty for now.
    """
    when = when or datetime.now(UTC).isoformat(timespec="seconds")
    date, _, clock = when.partition("T")
    return (
        page_environment()
        .get_template("diff_page.html.j2")
        .render(
            report=report,
            pairs=report.flip_pairs[:_MOST_PAIRS],
            more_pairs=len(report.flip_pairs[_MOST_PAIRS:]),
            statuses=report.statuses[:_MOST_STATUSES],
            figures=_figures(report),
            facts=_facts(report),
            style=Markup(read_part("page.css")),
            no_label=NO_LABEL,
            quoted=list(report.examples[0].cells) if report.examples else [],
            several_rows=any(one.old_row != one.new_row for one in report.examples),
            about=f"{report.old.path} → {report.new.path} · {date} {clock[:5]} UTC",
        )
    )


def _figures(report: DiffReport) -> dict[str, Markup]:
    drawn: dict[str, Markup] = {}
    found = report.confidence
    with drawing():
        if any(found.old_histogram) and any(found.new_histogram):
            drawn["confidences"] = confidences_figure(found.old_histogram, found.new_histogram)
        if any(found.shift_histogram):
            drawn["shift"] = shift_figure(found.shift_histogram)
    return drawn


def _facts(report: DiffReport) -> dict[str, str]:
    matched = {
        "position": "their position",
        "key": "--key",
        "model": "the file that both models answered",
    }
    told = {
        "Old": report.old.path,
        "New": report.new.path,
        "Fingerprint of the old model": report.old.fingerprint or "–",
        "Fingerprint of the new model": report.new.fingerprint or "–",
        "Rows matched by": matched[report.matched_by],
        "Rows only in the old one": f"{report.only_old:,}",
        "Rows only in the new one": f"{report.only_new:,}",
    }
    if report.unseen_labels:
        told["True labels of no model"] = f"{sum(report.unseen_labels.values()):,} rows"
    return {**told, "textbatch": __version__}
