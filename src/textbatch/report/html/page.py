"""The HTML page about a model: one file, without scripts, with nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from textbatch.errors import printable
from textbatch.report.html.figures import (
    FEW_ROWS,
    confidence_figure,
    curve_figure,
    length_figure,
    reliability_figure,
)
from textbatch.report.html.heatmap import confusion_figure
from textbatch.report.html.page_data import Picture
from textbatch.report.html.svg import drawing

#: With more labels the confusion matrix is drawn as a heat map without numbers.
WIDEST_MATRIX = 12
_MOST_CONFUSIONS = 15
_LONGEST_LABEL, _LONGEST_TEXT = 60, 400


def page_of(picture: Picture) -> str:
    """Make the whole page. The same picture gives the same page, byte for byte."""
    return (
        page_environment()
        .get_template("page.html.j2")
        .render(
            picture=picture,
            figures=_figures(picture),
            style=Markup(read_part("page.css")),
            confusions=_confusions(picture),
            few_rows=FEW_ROWS,
            is_matrix=len(picture.metrics.labels) <= WIDEST_MATRIX,
        )
    )


def page_environment() -> Environment:
    """The environment for the templates of all pages. Everything is escaped."""
    environment = Environment(
        loader=FunctionLoader(read_part),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"label": _label, "text": _text, "number": _number, "percent": _percent}
    return environment


def read_part(name: str) -> str:
    """Read a template or a style sheet of this package."""
    return files("textbatch.report.html").joinpath(name).read_text(encoding="utf-8")


def _figures(picture: Picture) -> Mapping[str, Markup]:
    drawn: dict[str, Markup] = {}
    with drawing():
        if picture.epochs:
            for of in ("loss", "accuracy"):
                drawn[of] = curve_figure(picture.epochs, picture.best_epoch, of=of)
        if any(picture.right + picture.wrong):
            drawn["reliability"] = reliability_figure(
                picture.reliability_before, picture.reliability_after
            )
            drawn["confidences"] = confidence_figure(picture.right, picture.wrong)
        if len(picture.metrics.labels) > WIDEST_MATRIX:
            drawn["confusion"] = confusion_figure(picture.metrics.confusion)
        if picture.lengths:
            drawn["lengths"] = length_figure(picture.lengths)
    return drawn


def _confusions(picture: Picture) -> list[tuple[int, int, int, float]]:
    """List confusions: true label, predicted label, rows, share of the true label's rows.

    Those with the most rows come first.
    """
    found = [
        (true, predicted, count, count / picture.metrics.labels[true].rows)
        for true, row in enumerate(picture.metrics.confusion)
        for predicted, count in enumerate(row)
        if count and true != predicted
    ]
    return sorted(found, key=lambda entry: (-entry[2], -entry[3], entry[:2]))[:_MOST_CONFUSIONS]


def _label(value: str) -> str:
    return _cut(printable(value), _LONGEST_LABEL)


def _text(value: str) -> str:
    # Line breaks and tabs are normal in a text. In a name they would be shown as escapes.
    return _cut(printable(" ".join(value.split())), _LONGEST_TEXT)


def _cut(value: str, longest: int) -> str:
    return value if len(value) <= longest else value[: longest - 1] + "…"


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}%}"
