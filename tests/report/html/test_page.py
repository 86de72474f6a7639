"""The HTML page, as text and as Chromium shows it."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from support.chromium import find_chromium, opened

from textbatch.model.fitting.settings import Epoch
from textbatch.model.quality.calibration import expected_calibration_error, softmax
from textbatch.model.quality.confidence_limits import measure_limits
from textbatch.model.quality.metrics import measure
from textbatch.model.quality.reliability import (
    confidence_histogram,
    length_histogram,
    reliability_bins,
)
from textbatch.report.html.page import page_environment, page_of
from textbatch.report.html.page_data import (
    ConfidentError,
    Contender,
    Coverage,
    Picture,
    Threshold,
    about_line,
)

SECTIONS = (
    "baselines", "curves", "reliability", "confidences", "limits", "confusion-matrix", "labels",
    "thresholds", "errors", "lengths", "coverage", "facts",
)  # fmt: skip
HOSTILE = "<script>document.title='owned'</script>\x1b[2J\u202e&\"'$x$" + "w" * 300


def picture_of(num_labels: int) -> Picture:
    """A picture with every section, of labels at random; the first label is hostile."""
    random = np.random.default_rng(num_labels)
    labels = (HOSTILE, *(f"label_{i:03d} of a kind" for i in range(1, num_labels)))
    true = random.integers(0, num_labels, 3000)
    logits = random.normal(0, 1, (3000, num_labels)).astype(np.float32)
    logits[np.arange(3000), true] += 5
    before, after = softmax(logits, 0.7), softmax(logits)
    right, wrong = confidence_histogram(after, true)
    return Picture(
        title="Training report",
        lead="Measured on 3,000 rows.",
        metrics=measure(true, after.argmax(axis=1), labels),
        ece_before=expected_calibration_error(before, true),
        ece_after=expected_calibration_error(after, true),
        reliability_before=reliability_bins(before, true),
        reliability_after=reliability_bins(after, true),
        right=right,
        wrong=wrong,
        about=about_line("in.csv", "model", "0123456789abcdef", "2026-01-02T03:04:05+00:00"),
        limits=measure_limits(after.max(axis=1), after.argmax(axis=1) == true, rows=3000),
        errors=tuple(
            ConfidentError(row=i, true=labels[0], predicted=labels[1], confidence=0.99)
            for i in range(1, 51)
        ),
        epochs=tuple(
            Epoch(number=i, loss=1 / i, accuracy=1 - 0.5 / i, validation_loss=1.2 / i,
                  validation_accuracy=1 - 0.6 / i)
            for i in range(1, 9)
        ),
        best_epoch=8,
        lengths=length_histogram(random.poisson(40, 5000) + 1, 55),
        coverage=(Coverage(source=HOSTILE, words=9000, vocabulary_share=0.9, token_share=0.97),),
        contenders=(
            Contender(name="this model", accuracy=0.9, macro_f1=0.89, ours=True),
            Contender(name="TF-IDF + logistic regression", accuracy=0.88, macro_f1=0.87),
        ),
        thresholds=tuple(Threshold(label=label, threshold=0.8) for label in labels),
        warnings=(f"a warning about {HOSTILE}",),
        facts={"Seed": "0", "Text column": HOSTILE},
    )  # fmt: skip


@pytest.fixture(scope="module", params=[4, 77], ids=["4 labels", "77 labels"])
def picture(request) -> Picture:
    return picture_of(request.param)


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    program = find_chromium()
    if program is None:
        pytest.skip("there is no Chromium to open the page with")
    with opened(program, tmp_path_factory.mktemp("profile")) as tab:
        yield tab


class Elements(HTMLParser):
    """Every element's tag and attributes, and ids that repeat."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_the_page_holds_no_script_and_names_nothing_outside(picture):
    page = page_of(picture)
    for tag, attributes in Elements(page).found:
        assert tag not in ("script", "link", "iframe", "img", "object", "base", "form"), tag
        assert not [name for name in attributes if name.startswith("on")], attributes
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#"), attributes
    assert set(re.findall(r"url\((.)", page)) <= {"#"}
    assert "@import" not in page


def test_ids_are_unique_and_what_refers_to_them_finds_them(picture):
    page = page_of(picture)
    ids = [attributes["id"] for _, attributes in Elements(page).found if "id" in attributes]
    assert len(ids) == len(set(ids))
    referred = set(re.findall(r'(?:url\(|xlink:href=")#([\w-]+)', page))
    for _, attributes in Elements(page).found:
        referred |= set((attributes.get("aria-labelledby") or "").split())
    assert referred
    assert referred <= set(ids)


def test_names_are_escaped_shortened_and_freed_of_control_characters(picture):
    page = page_of(picture)
    assert "&lt;script&gt;document.title" in page
    assert r"\x1b[2J\u202e&amp;" in page
    assert not re.search(r"[^\n -\x7e\xa0-\ud7ff\ue000-\U0010ffff]|\u202e", page)
    assert "w" * 100 not in re.sub(r"<(li|dd)>.*?</\1>", "", page)


def test_the_same_picture_gives_the_same_page_byte_for_byte(picture):
    assert page_of(picture) == page_of(picture)


def test_what_was_not_measured_has_no_section():
    bare = replace(
        picture_of(3), errors=(), epochs=(), lengths=None, coverage=(), contenders=(),
        thresholds=(), limits=(), warnings=(), facts={},
    )  # fmt: skip
    found = set(re.findall(r'<section[^>]* id="([\w-]+)"', page_of(bare)))
    assert found == {"reliability", "confidences", "confusion-matrix", "labels"}


def test_rows_without_evidence_alone_still_make_a_page():
    nothing = np.zeros((0, 3), np.float32)
    empty = reliability_bins(nothing, np.zeros(0, np.int64))
    metrics = measure(np.array([0, 1]), np.array([-1, -1]), ("a", "b", "c"))
    page = page_of(
        replace(picture_of(3), metrics=metrics, right=(0,) * 20, wrong=(0,) * 20,
                reliability_before=empty, reliability_after=empty, errors=())
    )  # fmt: skip
    assert 'id="confusion-matrix"' in page
    assert 'id="reliability"' not in page


def test_texts_are_quoted_only_where_they_are_given():
    plain = picture_of(3)
    assert "--report-texts" in page_of(plain)
    error = replace(plain.errors[0], text="<b>parcel\r\n\tis\x00 late</b>")
    page = page_of(replace(plain, errors=(error,)))
    assert r"&lt;b&gt;parcel is\x00 late&lt;/b&gt;" in page
    assert "--report-texts" not in page


def test_every_bin_of_the_reliability_diagram_is_told_with_its_rows(picture):
    page = page_of(picture)
    table = page[page.index("<details>") : page.index("</details>")]
    told = re.findall(r'class="name">([\d.]+) – [\d.]+</th><td>([\d,]+)</td>', table)
    wanted = [(f"{b.low:.3f}", f"{b.rows:,}") for b in picture.reliability_after]
    assert told == wanted
    assert len(told) == 15
    assert sum(entry.rows for entry in picture.reliability_after) == 3000


def test_colours_are_the_pages_own(picture):
    for svg in re.findall(r"<svg.*?</svg>", page_of(picture), re.DOTALL):
        assert "var(--" in svg
        assert not re.search(r"#[0-9a-f]{6}", svg.replace("#m", "").replace("#p", "")), svg[:400]


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_chromium_shows_every_section_within_the_window(picture, tab, tmp_path, width, scheme):
    path = tmp_path / "report.html"
    path.write_text(page_of(picture), encoding="utf-8")
    tab.open(path, width=width, scheme=scheme)
    assert tab.requests() == [path.as_uri()]
    assert tab.complaints() == []
    assert tab.evaluate("document.title") == "Training report"
    assert tab.evaluate("innerWidth") == width
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    sizes = tab.evaluate(
        "Object.fromEntries([...document.querySelectorAll('section')].map("
        "s => [s.id, [s.offsetWidth, s.offsetHeight, s.scrollWidth - s.clientWidth]]))"
    )
    assert set(sizes) == set(SECTIONS)
    for section, (wide, high, beyond) in sizes.items():
        assert wide > 0.4 * width, section
        assert high > 80, section
        assert beyond <= 0, section


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_chromium_draws_the_figures_in_legible_colours(picture, tab, tmp_path, scheme):
    path = tmp_path / "report.html"
    path.write_text(page_of(picture), encoding="utf-8")
    tab.open(path, width=400, scheme=scheme)
    figures = tab.evaluate(
        "[...document.querySelectorAll('svg')].map(s => {"
        "const t = s.querySelector('text'), b = s.getBoundingClientRect();"
        "return [b.width, b.height, t.getBoundingClientRect().height, getComputedStyle(t).fill,"
        "getComputedStyle(s.closest('section')).backgroundColor]})"
    )
    assert len(figures) == len(re.findall("<svg", path.read_text()))
    for width, height, text_height, ink, card in figures:
        assert width > 300
        assert height > 80
        assert text_height > 8
        assert contrast(ink, card) > 4.5


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two CSS colours (WCAG 2.2)."""

    def luminance(color: str) -> float:
        parts = np.array([int(part) for part in re.findall(r"\d+", color)[:3]]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted([luminance(first), luminance(second)])
    return (high + 0.05) / (low + 0.05)


def test_the_worst_labels_come_first_on_request(picture):
    page = page_of(picture).split('id="labels"')[1].split("</section>")[0]
    given, worst = page.split('<tbody class="worst-first">')
    scores = [
        re.findall(r"</td><td>([\d.]+)</td><td class=\"bar\"", part) for part in (given, worst)
    ]
    assert len(scores[0]) == len(picture.metrics.labels)
    assert scores[1] == sorted(scores[0], key=float)
    assert '<input type="checkbox" id="worst-first"' in page


def test_names_are_broken_between_words_only(picture):
    page = page_of(picture)
    assert "label_<wbr>001 of a kind" in page
    rules = re.findall(r"\.(?:name|matrix thead th) \{[^}]*\}", page)
    assert rules
    assert all("anywhere" not in rule for rule in rules)


def test_an_option_in_a_warning_is_not_broken_and_the_rest_is_escaped():
    render = page_environment().from_string("{{ value | advice }}").render
    told = render(value="give <more> rows or --unlabelled texts, a--b, x--y & --Folds")
    option = '<span class="whole">--unlabelled</span>'
    assert told == f"give &lt;more&gt; rows or {option} texts, a--b, x--y &amp; --Folds"
