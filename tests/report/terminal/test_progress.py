from __future__ import annotations

import copy
import io
import pickle
import re
from contextlib import suppress

import pytest
from rich.console import Console
from rich.progress import Progress
from support.bundles import Steps

from textbatch.model.fitting.settings import Epoch
from textbatch.report.listener import SILENT, Listener, MessagesOnly, StepsOnly, messages_to
from textbatch.report.terminal import progress as module
from textbatch.report.terminal.epochs import EpochProgress
from textbatch.report.terminal.pace import BYTES, Count, Left, span
from textbatch.report.terminal.progress import Bar, Lines, listener_on, step_of
from textbatch.report.terminal.recorder import Recorder
from textbatch.types import ReadShare


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


def test_two_folds_that_end_at_once_do_not_make_the_others_fast():
    now = [0.0]
    bar = Progress(Left(), get_time=lambda: now[0])
    task = bar.add_task("folds", total=5)
    for now[0] in (60.0, 60.5):
        bar.advance(task)
    assert Left().render(bar.tasks[0]).plain == "91 s left"


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


def test_what_is_read_is_not_done_yet_and_a_wrong_total_is_dropped(clock):
    told = []
    lines = Lines(told.append)
    lines.begin(None)
    clock[0] += 99
    lines.advance(99, 1.0)
    assert told[0].line() == "scoring: 99 rows (99%), 1 rows/s, 1 s left"
    lines.begin(1_184)
    clock[0] += 20
    lines.advance(1_248)
    assert told[1].line() == "scoring: 1,248 rows, 62 rows/s"


@pytest.mark.parametrize(
    ("total", "steps", "shown"),
    [
        (None, [(100, 0.25), (200, 0.3)], "300 rows (30%)"),
        (None, [(100, 1.0)], "100 rows (99%)"),
        (1_184, [(1_184, None)], "1,184/1,184"),
        (1_184, [(1_248, None)], "1,248 rows"),
        (1_184, [], "0/1,184"),
        (None, [], ""),
        (None, [(100, None)], "100 rows"),
    ],
)
def test_a_bar_shows_no_total_that_is_guessed_or_wrong(total, steps, shown):
    terminal = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "xterm"})
    bar = Bar(terminal)
    bar.begin(total)
    assert bar._bar
    (task,) = bar._bar.tasks
    assert task.total is None  # it moves before the first row
    for rows, share in steps:
        bar.advance(rows, share)
    assert Count("rows").render(task).plain == shown
    bar.end()


def test_a_terminal_gets_a_bar_and_a_dumb_one_lines():
    terminal = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "xterm"})
    dumb = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"})
    file = Console(file=io.StringIO())
    kinds = [type(listener_on(console)) for console in (terminal, dumb, file)]
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
    recorder = Recorder(SILENT)
    recorder.begin(30)
    for rows in (10, 20):
        clock[0] += 1
        recorder.advance(rows)
    assert recorder.samples == [(0.0, 0), (1.0, 10), (2.0, 30)]


def test_an_epoch_has_what_it_measured_its_rate_and_the_time_left_at_most(clock):
    steps, messages = Steps(), []
    progress = EpochProgress(steps, rows=1_000, max_epochs=5, done=2)
    for number in (3, 4, 5):
        progress.advance(600)
        progress.advance(400)
        progress.validating()
        clock[0] += 100
        epoch = Epoch(number=number, loss=1, accuracy=0, validation_loss=1, validation_accuracy=0)
        messages.append(progress.ended(epoch))
    progress.close()
    progress.validating()
    assert steps.told_inside == ["validating"] * 3
    # Early stopping leaves no step open that never began.
    assert steps.names() == ["epoch 3", "epoch 4", "epoch 5"]
    assert (steps.done, steps.open) == ([1_000] * 3, 0)
    assert all(len(line) <= 80 for line in messages)
    assert [line.partition("; ")[2] for line in messages] == [
        "10 rows/s, < 3 min left",
        "10 rows/s, < 2 min left",
        "10 rows/s",
    ]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.4, "0 s"), (48, "48 s"), (99, "99 s"), (180, "3 min"), (7_800, "2 h 10 min")],
)
def test_spans_are_told_in_words(seconds, told):
    assert span(seconds) == told


def bar_lines(clock: list[float], *, total: int | None, done: int, seconds: float, **named: str):
    """What a bar shows after some time."""
    stream = io.StringIO()
    terminal = Console(
        file=stream, force_terminal=True, width=80, _environ={"TERM": "xterm"}, color_system=None
    )
    bar = Bar(terminal)
    bar.begin(total, **named)
    assert bar._bar
    bar._bar.get_time = lambda: clock[0]
    task = bar._bar.tasks[0]
    task._get_time, task.start_time = bar._bar.get_time, clock[0]
    clock[0] += seconds
    if done:
        bar.advance(done)
    stream.truncate(0)
    bar._bar.refresh()
    bar.end()
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue()).replace("\r", "\n")
    return [line for line in shown.split("\n") if named["step"] in line]


@pytest.mark.parametrize(
    ("total", "done", "seconds", "unit", "told"),
    [
        (2_000_000, 500_000, 10, "words", "500,000/2,000,000 50,000 words/s 30 s left"),
        (5_000_000_000, 1_250_000_000, 10, BYTES, "1.2 GB/5.0 GB 125.0 MB/s 30 s left"),
        (5, 2, 120, "folds", "2/5 1 folds/min 3 min left"),
        (5, 0, 42, "folds", "0/5  42 s so far"),
        (None, 0, 42, "rows", "42 s so far"),
        (None, 3_000_000, 10, BYTES, "3.0 MB 300.0 kB/s 10 s so far"),
    ],
)
def test_a_bar_tells_amount_rate_and_time_in_eighty_columns(
    total, done, seconds, unit, told, clock
):
    step = "trial 12, word vectors"
    lines = bar_lines(clock, total=total, done=done, seconds=seconds, step=step, unit=unit)
    assert told in lines[-1]
    assert {len(line) for line in lines} == {80}


def test_lines_tell_bytes_and_slow_steps_too(clock):
    told = []
    lines = Lines(told.append)
    lines.begin(4_000_000_000, step="verifying", unit=BYTES)
    clock[0] += 20
    lines.advance(1_000_000_000)
    lines.begin(5, step="cross-validation", unit="folds")
    clock[0] += 60
    lines.advance(1)
    assert [standing.line() for standing in told] == [
        "verifying: 1.0 GB (25%), 50.0 MB/s, 60 s left",
        "cross-validation: 1 folds (20%), 1 folds/min, 4 min left",
    ]


def test_a_step_ends_however_its_block_does():
    steps = Steps()
    with suppress(KeyError), StepsOnly(steps, within="trial 3").step("epoch 1", 7) as step:
        step.advance(2)
        raise KeyError
    assert (steps.names(), steps.totals, steps.done, steps.open) == (
        ["trial 3, epoch 1"],
        [7],
        [2],
        0,
    )
    with step_of(None, None, step="nobody listens") as step:
        step.advance(1)


def test_messages_go_where_they_are_wanted():
    messages: list[str] = []
    listeners = (
        MessagesOnly(messages.append),
        messages_to(messages.append),
        Lines(lambda _: None, messages.append),
        Bar(Console(file=io.StringIO()), messages.append),
        Recorder(MessagesOnly(messages.append)),
    )
    for listener in listeners:
        listener.log("hello")
    assert messages == ["hello"] * len(listeners)


def test_whoever_wants_none_hears_nothing():
    messages: list[str] = []
    for listener in (SILENT, messages_to(None), StepsOnly(MessagesOnly(messages.append))):
        with listener.step("a step", 3) as step:
            step.advance(1)
            listener.log("hello")
    assert messages == []
    assert isinstance(SILENT, Listener)


def test_what_runs_inside_a_step_stands_behind_its_name(clock):
    told = []
    lines = Lines(told.append)
    lines.begin(5, step="cross-validation", unit="folds")
    clock[0] += 20
    lines.inside("epochs 3 to 4")
    assert told[0].line() == "cross-validation, epochs 3 to 4: 0 folds, 0 folds/min"
    lines.begin(5, step="testing")
    clock[0] += 20
    lines.advance(1)
    assert told[1].step == "testing"

    stream = io.StringIO()
    terminal = Console(
        file=stream, force_terminal=True, width=80, _environ={"TERM": "xterm"}, color_system=None
    )
    bar = Bar(terminal)
    bar.inside("nothing, for there is no step")
    bar.begin(5, step="cross-validation", unit="folds")
    StepsOnly(Recorder(bar)).inside("epochs 3 to 4")
    bar.end()
    assert "cross-validation, epochs 3 to 4 " in stream.getvalue()


def test_the_share_of_files_is_told_in_bytes_whose_total_never_changes(clock):
    told = []
    lines = Lines(told.append)
    lines.begin(None)
    for number, done in enumerate((25, 50, 100), 1):
        clock[0] += 20
        lines.advance(number * 100, ReadShare(done * 1_000, 100_000))
    assert [standing.line() for standing in told] == [
        "scoring: 100 rows (25.0 kB of 100.0 kB), 5 rows/s, 60 s left",
        "scoring: 300 rows (50.0 kB of 100.0 kB), 7.5 rows/s, 40 s left",
        "scoring: 600 rows (100.0 kB of 100.0 kB), 10 rows/s, 1 s left",
    ]
    assert told[-1].share == 0.99


def test_a_bar_moves_by_the_share_that_is_read_and_tells_rows_a_second(clock):
    stream = io.StringIO()
    terminal = Console(
        file=stream, force_terminal=True, width=80, _environ={"TERM": "xterm"}, color_system=None
    )
    bar = Bar(terminal)
    bar.begin(None)
    task = bar._bar.tasks[0]
    bar._bar.get_time = task._get_time = lambda: clock[0]
    task.start_time = clock[0]
    totals = set()
    for step in range(1, 5):
        clock[0] += 10
        # The first rows are longer than the others.
        bar.advance(step * 1_000, ReadShare(step * 25_000_000, 100_000_000))
        totals.add(task.total)
    assert totals == {1.0}
    assert task.completed == 0.99
    stream.truncate(0)
    bar._bar.refresh()
    bar.end()
    assert "10,000 rows (100.0 MB of 100.0 MB) 250 rows/s 1 s left" in stream.getvalue()


def test_nothing_says_that_no_time_is_left_while_a_step_goes_on(clock):
    told = []
    lines = Lines(told.append)
    lines.begin(1_000, step="epoch 1")
    clock[0] += 20
    lines.advance(1_000)
    assert told[0].line().endswith("50 rows/s, finishing")
    lines.begin(100_000, step="epoch 2")
    clock[0] += 20
    lines.advance(99_999)
    assert told[1].line().endswith("1 s left")
    bar = Progress(Left(), get_time=lambda: 0.0)
    task = bar.add_task("rows", total=100)
    bar.tasks[0].start_time = -10.0
    bar.update(task, completed=100)
    bar.tasks[0].finished_time = None
    assert Left().render(bar.tasks[0]).plain == "finishing"


def test_a_share_can_be_copied_and_sent():
    share = ReadShare(30, 120)
    for one in (copy.deepcopy(share), pickle.loads(pickle.dumps(share))):
        assert (one, one.done, one.total) == (0.25, 30, 120)
    assert (ReadShare(5, 0), ReadShare(200, 100).done) == (1.0, 100)
