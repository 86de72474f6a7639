"""The page about a scoring run, as text and as Chromium shows it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from support.chromium import find_chromium, opened

from textbatch.data.output.signs import Signs
from textbatch.model.quality.drift import drift_between
from textbatch.model.quality.drift_series import DriftSeries, SeriesMeasure
from textbatch.model.quality.estimated_accuracy import EstimatedAccuracy
from textbatch.model.quality.profile import TrainingProfile
from textbatch.report.html.run_page import run_page
from textbatch.report.scoring import RunReport

HOSTILE = "<script>document.title='owned'</script>\x1b[2J\u202e&\"'" + "w" * 300


def signs_of(answers: dict[str, int]) -> Signs:
    rows = sum(answers.values())
    return Signs(answers=answers, confidences=[rows], confidence_sums=[rows], lengths=[rows])


def report_of(num_labels: int) -> RunReport:
    labels = (HOSTILE, *(f"label_{i:03d} of a kind" for i in range(1, num_labels)))
    return RunReport(
        run_id="0123456789abcdef",
        input=f"in{HOSTILE}.csv",
        output="out.parquet",
        model="model",
        textbatch="1.0",
        started="2026-01-01T02:15:00+00:00",
        state="done",
        seconds=100.0,
        rows_in=10_000,
        rows_out=10_000,
        rows_per_second=123.0,
        statuses={"ok": 9_000, "no_known_tokens": 1_000},
        labels=dict.fromkeys(labels, 9000 // num_labels),
        mean_confidence=0.9,
        confidence_histogram=[0] * 10 + [100] * 9 + [8_100],
        tokens=100_000,
        unknown_tokens=20_000,
        drift=drift_between(
            signs_of(dict(zip(labels, [500] + [1] * num_labels, strict=False))),
            signs_of(dict.fromkeys(labels, 100)),
        ),
        drift_series=DriftSeries(
            drifted=True,
            runs=40,
            rows=400_000,
            times=("2025-12-01T02:15:00+00:00", "2026-01-01T02:15:00+00:00"),
            measures=[measure_of("labels", HOSTILE), measure_of("lengths", "1 character")],
        ),
        estimated_accuracy=EstimatedAccuracy(
            accuracy=0.9, low=0.8, high=0.95, rows=9_000, held_out=500
        ),
        notes=[f"a note about {HOSTILE}"],
    )


def profile_of(report: RunReport) -> TrainingProfile:
    return TrainingProfile(
        rows=100,
        tokens_by_quantile={"0.5": 10.0},
        truncated_share=0.0,
        oov_share=0.02,
        labels={label: i for i, label in enumerate(report.labels)},
        confidence_histogram=[1] * 20,
    )


def measure_of(of: str, where: str) -> SeriesMeasure:
    return SeriesMeasure(
        of=of,
        log10_e=12.0,
        since=30,
        since_time="2025-12-30T02:15:00+00:00",
        effect=0.2,
        effect_low=0.15,
        where=where,
        before=0.1,
        now=0.3,
        drifted=of == "labels",
        effects=(*[0.02] * 29, *[0.2] * 10, None),
    )


def page_of(report: RunReport) -> str:
    return run_page(report, SAMPLES, profile_of(report))


SAMPLES = [(float(i), 100 * i) for i in range(100)]


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    program = find_chromium()
    if program is None:
        pytest.skip("there is no Chromium to open the page with")
    with opened(program, tmp_path_factory.mktemp("profile")) as tab:
        yield tab


def test_the_page_holds_no_script_names_nothing_outside_and_escapes_names():
    page = page_of(report_of(4))
    assert not re.search(r"<(script|link|iframe|img|object|base|form)\b", page)
    assert set(re.findall(r"url\((.)", page)) <= {"#"}
    assert "@import" not in page
    assert "&lt;script&gt;document.title" in page
    assert not re.search(r"[^\n -\x7e\xa0-\ud7ff\ue000-\U0010ffff]|\u202e", page)


def test_the_page_warns_of_what_is_far_from_training():
    page = page_of(report_of(4))
    assert "The rows are unlike those that the model was measured on: mix of labels (" in page
    assert 'id="drift"' in page
    assert "too good: the rows have drifted" in page
    assert "from run 30 of 2025-12-30 on" in page
    assert 'id="series"' in page
    assert " 40 runs with 400,000 " in page
    first = report_of(4)
    first = replace(first, drift_series=replace(first.drift_series, runs=1))
    assert " 1 run with " in page_of(first)
    assert "20.0% of the tokens are unknown to the model, against 2.0% in training" in page


def test_a_model_without_a_profile_still_has_a_page():
    page = run_page(replace(report_of(4), notes=[], drift=None, drift_series=None), [])
    assert 'id="labels"' in page
    assert 'id="rates"' not in page
    assert 'id="warnings"' not in page


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("num_labels", [4, 77])
def test_chromium_shows_every_section_within_the_window(num_labels, width, tab, tmp_path):
    path = tmp_path / "run.html"
    path.write_text(page_of(report_of(num_labels)), encoding="utf-8")
    tab.open(path, width=width, scheme="light")
    assert tab.requests() == [path.as_uri()]
    assert tab.complaints() == []
    assert tab.evaluate("document.title") == "Scoring run"
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    sizes = tab.evaluate(
        "Object.fromEntries([...document.querySelectorAll('section')].map("
        "s => [s.id, [s.offsetHeight, s.scrollWidth - s.clientWidth]]))"
    )
    assert set(sizes) == {"labels", "statuses", "drift", "series", "confidences", "rates", "facts"}
    for section, (high, beyond) in sizes.items():
        assert high > 80, section
        assert beyond <= 0, section
