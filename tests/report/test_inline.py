"""What a notebook shows of the reports."""

from __future__ import annotations

from html.parser import HTMLParser

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import LABELS

import textbatch
from textbatch.model.quality.calibration import Calibration
from textbatch.model.quality.metrics import LabelMetrics, Metrics
from textbatch.report.comparison import Contender
from textbatch.report.evaluation import Evaluation
from textbatch.report.inline import MOST_ROWS, counted, inline
from textbatch.report.scoring import RunReport
from textbatch.report.training import TrainReport
from textbatch.report.vectors import VectorsReport

EVIL = "<script>alert('x')</script>&\x1b[31m"


class Tags(HTMLParser):
    """Collects the tags, and checks that each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: list[object] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.attributes += attrs
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def evaluation(label: str = "billing") -> Evaluation:
    one = LabelMetrics(label=label, precision=None, recall=0.5, f1=0.25, rows=1234)
    metrics = Metrics(rows=1234, accuracy=0.875, macro_f1=0.75, labels=[one], confusion=[[1]])
    return Evaluation(
        rows=1240, metrics=metrics, ece_before=0.1, ece_after=0.05, statuses={"ok": 1240},
        unlabelled=6, unseen_labels={label + "2": 3}, model="m",
    )  # fmt: skip


def trained(label: str = "billing") -> TrainReport:
    calibration = Calibration(
        temperature=1.5, rows=9, ece_before=0.1, ece_after=0.05, nll_before=1.0, nll_after=0.9
    )
    return TrainReport(
        model=label, rows={"training": 100, "test": 10}, epochs=[], best_epoch=0,
        calibration=calibration, test=evaluation(label), blend_weight=0.0,
        contenders=[Contender(name="linear", accuracy=0.5, macro_f1=0.25)], warnings=[label],
        left_out={"unlabelled": 4},
    )  # fmt: skip


def scored(label: str = "billing") -> RunReport:
    return RunReport(
        run_id="r", input=label, output="out.parquet", model="m", textbatch="0", started="",
        state="done", rows_in=None, rows_out=1234, rows_quarantined=2, labels={label: 1234},
        notes=[label], files={"found": 2},
    )  # fmt: skip


def vectors(output: str = "v.vec") -> VectorsReport:
    return VectorsReport(
        output=output, texts=5, tokens=50, words=1234, dim=3, undecodable=1, tokens_per_second=1.0,
        seconds=1.0,
    )  # fmt: skip


@pytest.mark.parametrize("report", [evaluation, trained, scored, vectors])
def test_every_report_is_shown_in_tables_with_its_numbers(report):
    found = Tags(report()._repr_html_())
    assert found.seen <= {"div", "h4", "table", "tr", "th", "td", "ul", "li"}
    assert "1,234" in " ".join(found.texts)
    assert not found.attributes


@pytest.mark.parametrize("report", [evaluation, trained, scored, vectors])
def test_what_comes_from_outside_is_escaped(report):
    text = report(EVIL)._repr_html_()
    assert "script" not in Tags(text).seen
    assert "&lt;script&gt;" in text
    assert "\x1b" not in text


def test_training_shows_simple_models_warnings_and_labels():
    text = " ".join(Tags(trained()._repr_html_()).texts)
    for part in ("linear 0.5000 0.2500", "this model 0.8750 0.7500", "1.500", "billing – 0.5000"):
        assert part in text, part


def test_a_long_table_is_cut_and_says_so():
    counts = {f"label {number}": number for number in range(MOST_ROWS + 5)}
    text = inline("Many", {}, counted("label", counts))
    assert text.count("<tr>") == MOST_ROWS + 2
    assert "and 5 more" in text
    # The most frequent ones stay.
    assert f"label {MOST_ROWS + 4}" in text


def test_the_reports_of_the_functions_are_shown(input_file, model, tmp_path):
    report = textbatch.score(input_file, tmp_path / "out.parquet", model=model)
    assert "Scoring" in report._repr_html_()
    labelled = tmp_path / "labelled.parquet"
    pq.write_table(pa.table({"text": ["refund", "login"], "label": list(LABELS[:2])}), labelled)
    assert LABELS[0] in textbatch.evaluate(labelled, model=model)._repr_html_()
