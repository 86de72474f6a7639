from __future__ import annotations

import io

import pytest
from rich.console import Console

from textbatch.model.settings import Epoch
from textbatch.report import progress as module
from textbatch.report.passes import Passes
from textbatch.report.progress import Bar, Lines, Recorder, progress_on, span


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time, in a list of one."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_lines_tell_rate_and_time_left_every_few_seconds(clock):
    told = []
    lines = Lines(told.append)
    lines.begin(1_000, step="evaluating")
    for _ in range(5):
        clock[0] += 5
        lines.advance(100)
    assert [standing.line() for standing in told] == [
        "evaluating: 200 rows (20%), 20 rows/s, 40 s left",
        "evaluating: 400 rows (40%), 20 rows/s, 30 s left",
    ]


def test_where_nobody_knows_the_total_the_share_read_tells_the_time(clock):
    told = []
    lines = Lines(told.append)
    lines.begin(None)
    clock[0] += 20
    lines.advance(100, 0.25)
    assert told[0].line() == "scoring: 100 rows (25%), 5 rows/s, 60 s left"
    lines.begin(None)
    clock[0] += 20
    lines.advance(100)
    assert told[1].line() == "scoring: 100 rows, 5 rows/s"


def test_a_terminal_gets_a_bar_and_a_dumb_one_lines():
    terminal = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "xterm"})
    dumb = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"})
    file = Console(file=io.StringIO())
    kinds = [type(progress_on(console)) for console in (terminal, dumb, file)]
    assert kinds == [Bar, Lines, Lines]


def test_a_bar_fits_eighty_columns_and_goes_away():
    stream = io.StringIO()
    terminal = Console(
        file=stream, force_terminal=True, width=80, _environ={"TERM": "xterm"}, color_system=None
    )
    bar = Bar(terminal)
    for step in ("epoch 1", "epoch 2"):
        bar.begin(1_000_000, step=step)
        bar.advance(999_999)
        bar.end()
    lines = [part for part in stream.getvalue().replace("\r", "\n").split("\n") if "epoch" in part]
    assert lines
    assert "999,999/1,000,000" in lines[-1]


def test_a_recorder_keeps_when_how_many_rows_were_done(clock):
    recorder = Recorder(module.Silent())
    recorder.begin(30)
    for rows in (10, 20):
        clock[0] += 1
        recorder.advance(rows)
    assert recorder.samples == [(0.0, 0), (1.0, 10), (2.0, 30)]


def test_a_pass_tells_what_it_measured_its_rate_and_the_time_left_at_most(clock):
    told: list[str] = []
    passes = Passes(rows=1_000, most=3, progress=None, say=told.append)
    for number in (1, 2, 3):
        passes.advance(1_000)
        clock[0] += 100
        passes.ended(
            Epoch(number=number, loss=1, accuracy=0, validation_loss=1, validation_accuracy=0)
        )
    passes.close()
    assert [line.partition("; ")[2] for line in told] == [
        "10 rows/s, at most 3 min left",
        "10 rows/s, at most 2 min left",
        "10 rows/s",
    ]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.4, "0 s"), (48, "48 s"), (99, "99 s"), (180, "3 min"), (7_800, "2 h 10 min")],
)
def test_spans_are_told_in_words(seconds, told):
    assert span(seconds) == told
