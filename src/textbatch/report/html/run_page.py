"""The HTML page about a scoring run: one file, without scripts, with nothing from outside."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from textbatch.model.quality.drift import MEASURES
from textbatch.model.quality.profile import TrainingProfile
from textbatch.report.drift import p_told
from textbatch.report.html.page import page_environment, read_part
from textbatch.report.html.page_data import about_line
from textbatch.report.html.run_figures import rate_figure, run_confidence_figure, series_figure
from textbatch.report.html.run_page_data import RunPicture, run_picture
from textbatch.report.html.svg import drawing
from textbatch.report.scoring import RunReport
from textbatch.report.terminal.pace import span


def run_page(
    report: RunReport,
    samples: Sequence[tuple[float, int]],
    *profiles: TrainingProfile | None,
) -> str:
    """Make the page about a run that ended well.

    Args:
        report: What the run did.
        samples: Pairs of seconds since the first row, and the rows that were done by then.
        *profiles: What the training of each model looked like; None compares with nothing.
    """
    picture = run_picture(report, samples, profiles)
    return (
        page_environment()
        .get_template("run_page.html.j2")
        .render(
            picture=picture,
            report=report,
            figures=_figures(picture),
            style=Markup(read_part("page.css")),
            measure_name=MEASURES.__getitem__,
            p_told=p_told,
            id_of=id_of,
            took=span(report.seconds),
            facts=_facts(report),
            about=about_line(report.input, report.model, report.fingerprint or "", report.started),
        )
    )


def _figures(picture: RunPicture) -> dict[str, Markup]:
    """The figures: that of the rates, and of each model, by its name, that of its confidences."""
    drawn: dict[str, Markup] = {}
    with drawing():
        for one in picture.models:
            if any(one.confidences):
                drawn[f"confidences{id_of(one.report.name)}"] = run_confidence_figure(
                    one.confidences, one.training_confidences
                )
            if one.report.drift_series:
                name = f"series{id_of(one.report.name)}"
                drawn[name] = series_figure(one.report.drift_series, name)
        if picture.rates:
            drawn["rates"] = rate_figure(picture.rates)
    return drawn


def id_of(name: str) -> str:
    """What the ids of the sections of a model end with."""
    return f"-{name}" if name else ""


def _facts(report: RunReport) -> dict[str, str]:
    files = report.files
    told = {} if files is None else {
        "Files": f"{files['found']:,} found, {files['scored']:,} scored, "
        + (f"{files['resumed']:,} by the interrupted run, " if files.get("resumed") else "")
        + f"{files['known']:,} known from before, {files['stray']:,} left out"
        + (f", {files['rescored']:,} of them scored anew" if files.get("rescored") else "")
    }  # fmt: skip
    return {
        "Input": report.input,
        "Output": report.output,
        **({} if report.models else {"Model": report.model}),
        **told,
        **({} if report.models else {"Fingerprint": report.fingerprint or "–"}),
        **{
            f"Model {one.name}": f"{one.model}, fingerprint {one.fingerprint or '–'}"
            for one in report.models
        },
        "Run": report.run_id,
        "Started": report.started,
        "Engine": f"{report.engine} on {report.device}, {report.precision}"
        if report.engine
        else "–",
        **({"Rows by early exit": f"{report.rows_early:,}"} if report.rows_early else {}),
        "Rows resumed": f"{report.rows_resumed:,}",
        "Rows in quarantine": f"{report.rows_quarantined:,}",
        "textbatch": report.textbatch,
    }
