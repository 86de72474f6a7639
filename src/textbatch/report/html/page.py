"""The HTML page about a model: one file, without scripts, with nothing from outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from textbatch.errors import printable
from textbatch.report.confusions import commonest_confusions
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
_OPTION = re.compile(r"(?<!\S)(--[a-z][a-z-]*)")
_BETWEEN_WORDS = re.compile(r"(?<=[_/.:|-])(?=\w)")


def page_of(picture: Picture) -> str:
    """Make the whole page. The same picture gives the same page, byte for byte."""
    return (
        page_environment()
        .get_template("page.html.j2")
        .render(
            picture=picture,
            figures=_figures(picture),
            style=Markup(read_part("page.css")),
            confusions=commonest_confusions(picture.metrics, most=_MOST_CONFUSIONS),
            worst=sorted(
                enumerate(picture.metrics.labels, 1),
                key=lambda entry: (entry[1].f1 is None, entry[1].f1 or 0.0),
            ),
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
    environment.filters["advice"] = _advice
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


def _label(value: str) -> Markup:
    # A name may be broken between its words, never inside one.
    name = _cut(printable(value), _LONGEST_LABEL)
    return Markup("<wbr>").join(_BETWEEN_WORDS.split(name))


def _text(value: str) -> str:
    # Line breaks and tabs are normal in a text. In a name they would be shown as escapes.
    return _cut(printable(" ".join(value.split())), _LONGEST_TEXT)


def _advice(value: str) -> Markup:
    # A browser breaks lines behind hyphens, also behind those of an option.
    parts = _OPTION.split(_text(value))
    whole = Markup('<span class="whole">{}</span>')
    return Markup("").join(
        whole.format(part) if number % 2 else part for number, part in enumerate(parts)
    )


def _cut(value: str, longest: int) -> str:
    return value if len(value) <= longest else value[: longest - 1] + "…"


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}%}"
