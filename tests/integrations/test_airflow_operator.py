"""The operator beside a stand-in for Airflow; tests/system/jobs runs it in the real one."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
import threading
import time
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from textbatch.errors import final_exit_codes

NAME = "textbatch.integrations.airflow"
JOBS = Path(__file__).parents[2] / "jobs"


class Operator:
    """Airflow's, as far as this one needs it."""

    log = logging.getLogger("task")

    def __init__(self, outlets=(), **task) -> None:
        self.outlets = outlets
        self.task = task


class Asset(str):
    __slots__ = ()


class Event:
    def __init__(self) -> None:
        self.extra = {}


class FailedError(Exception):
    """Airflow's AirflowException."""


class NoRetryError(FailedError):
    """Airflow's AirflowFailException."""


@pytest.fixture
def module(monkeypatch) -> ModuleType:
    contents = {
        "airflow": {},
        "airflow.sdk": {"Asset": Asset, "BaseOperator": Operator},
        "airflow.sdk.exceptions": {
            "AirflowException": FailedError,
            "AirflowFailException": NoRetryError,
        },
    }
    for name, members in contents.items():
        stand_in = ModuleType(name)
        vars(stand_in).update(members)
        monkeypatch.setitem(sys.modules, name, stand_in)
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    yield import_module(NAME)
    del sys.modules[NAME]


@pytest.fixture
def task(module, input_file, model):
    def make(*, command=(sys.executable, "-m", "textbatch"), **settings):
        return module.TextbatchScoreOperator(
            task_id="score",
            command=command,
            **{
                "input_path": str(input_file),
                "output_path": str(input_file.with_name("out.parquet")),
                "model_path": str(model),
                **settings,
            },
        )

    return make


def shell(body: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", body)


def test_every_path_flag_and_variable_is_a_template(module, task):
    known = {*vars(task()), *module.TextbatchScoreOperator.template_fields}
    assert known - set(module.TextbatchScoreOperator.template_fields) == {
        "command",
        "if_exists",
        "outlets",
        "task",
    }


def test_task_scores_again_and_again_and_returns_the_report(task):
    first, second = task().execute({}), task().execute({})
    assert (second["state"], second["rows_out"], second["exit_code"]) == ("done", 500, 0)
    assert first["run_id"] != second["run_id"]


def test_task_that_may_skip_leaves_a_finished_output_alone(task):
    first = task(if_exists="skip").execute({})
    second = task(if_exists="skip").execute({})
    assert (first["state"], second["state"]) == ("done", "skipped")


def test_incremental_folder_gets_no_word_that_contradicts_it(task, input_file):
    folder, output = input_file.parent / "in", input_file.parent / "out"
    folder.mkdir()
    for name, scored in (("a.parquet", 1), ("b.parquet", 1), ("", 0)):
        if name:
            (folder / name).write_bytes(input_file.read_bytes())
        report = task(
            input_path=str(folder), output_path=str(output), flags=["--incremental"]
        ).execute({})
        assert report["files"]["scored"] == scored
    assert report["state"] == "skipped"


def test_shares_are_finished_and_not_before_all_of_them_are_there(task, module, input_file):
    folder, output = input_file.parent / "in", input_file.parent / "out"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.parquet").write_bytes(input_file.read_bytes())
    asset = Asset("file:///out")
    finish = module.TextbatchFinishOperator(
        task_id="finish",
        command=(sys.executable, "-m", "textbatch"),
        output_path=str(output),
        outlets=[asset],
    )
    events = {asset: Event()}
    for share in ("0/2", "1/2"):
        with pytest.raises(FailedError, match=r"exit code (75|68)"):
            finish.execute({})
        task(input_path=str(folder), output_path=str(output), flags=["--shard", share]).execute({})
    assert finish.execute({"outlet_events": events})["rows_out"] == 1_000
    assert events[asset].extra["rows_out"] == 1_000


def test_the_value_is_small_and_tells_what_was_cut(task):
    body = """echo '{"labels": {%s}, "notes": ["a"], "rows_in": 3}'"""
    labels = ", ".join(f'"l{number}": {number}' for number in range(30))
    report = task(command=shell(body % labels)).execute({})
    assert (len(report["labels"]), report["labels_more"]) == (20, 10)
    assert (report["notes"], report["rows_in"]) == (["a"], 3)


def test_several_models_are_given_by_their_names(task, model):
    report = task(model_path={"topic": str(model), "tone": str(model)}).execute({})
    assert [one["name"] for one in report["models"]] == ["topic", "tone"]


def test_the_sections_of_models_are_small_too(module):
    section = {"name": "topic", "labels": {str(number): 1 for number in range(30)}}
    small = module._small({"models": [section]})
    assert (len(small["models"][0]["labels"]), small["models"][0]["labels_more"]) == (20, 10)


def test_flags_and_variables_reach_the_command(task, tmp_path):
    told = tmp_path / "told"
    body = f'echo "$@" "$WHO" > {told}; echo "{{}}"'
    task(command=shell(body), flags=["--top-k", "2"], env={"WHO": "me"}).execute({})
    words = told.read_text().split()
    assert words[-5:-3] == ["2", "--"]
    assert words[-1] == "me"


def test_asset_events_tell_of_the_run(task):
    asset = Asset("file:///scored")
    event = Event()
    report = task(outlets=[asset, "no asset"]).execute({"outlet_events": {asset: event}})
    assert event.extra["rows_out"] == 500
    assert event.extra["run_id"] == report["run_id"]


def test_messages_go_to_the_log_while_the_command_runs(task, tmp_path, caplog):
    caplog.set_level("INFO")
    go_on = tmp_path / "go-on"
    body = (
        f"echo first >&2; while [ ! -e {go_on} ]; do sleep 0.01; done; echo last >&2; echo '{{}}'"
    )
    running = threading.Thread(target=task(command=shell(body)).execute, args=[{}])
    running.start()
    while "first" not in caplog.messages:
        time.sleep(0.01)
    go_on.touch()
    running.join(10)
    assert caplog.messages[-1] == "last"


def test_a_line_break_or_an_escape_forges_no_line_of_the_log(task, caplog):
    caplog.set_level("INFO")
    body = "printf 'a\\rINFO forged\\n\\033[2Jb\\302\\205c\\342\\200\\256d\\n' >&2; exit 65"
    with pytest.raises(NoRetryError) as found:
        task(command=shell(body), input_path="in\nINFO forged\x1b[2J.csv").execute({})
    assert len(caplog.messages) == 3
    for told in (*caplog.messages, str(found.value)):
        assert told.isprintable()


def test_task_fails_at_once_where_a_retry_cannot_help(task, tmp_path):
    told = r"exit code 66: textbatch: error\[Bundle\]"
    with pytest.raises(NoRetryError, match=told):
        task(model_path=str(tmp_path / "no-model")).execute({})


def test_task_fails_at_once_where_there_is_no_such_command(task):
    with pytest.raises(NoRetryError, match="no command no-such-thing; install"):
        task(command=["no-such-thing"]).execute({})


@pytest.mark.parametrize("code", [*range(1, 160), 255])
def test_task_retries_after_all_but_the_final_codes(code, task):
    with pytest.raises(FailedError) as caught:
        task(command=shell(f"exit {code}")).execute({})
    final = (*final_exit_codes(), 126, 127)  # the last two: there is nothing to run
    assert isinstance(caught.value, NoRetryError) == (code in final)


HUGE = "x" * (200 << 10)  # Linux takes 128 KiB in one word


UNUSABLE = [
    *({name: f"a{odd}b"} for odd in ("\0", "\ud800", HUGE)
      for name in ("input_path", "output_path", "model_path", "if_exists")),
    *({"flags": ["--null-text", odd]} for odd in ("\0", "\udfff", HUGE, 5, None, 1.5)),
    *({"env": {"A": odd}} for odd in ("\0", "\ud800", HUGE, 5, None)),
    *({"env": {odd: "a"}} for odd in ("A\0", "A=B", 5)),
    *({"command": [odd]} for odd in ("\0", "\ud800", "", "/", "/etc/passwd", 5)),
    *({"command": odd} for odd in ([], ["/bin/true"], ["/bin/echo"], shell("exit 126"))),
    *({name: 5} for name in ("input_path", "output_path", "flags")),
]  # fmt: skip


@pytest.mark.parametrize("settings", UNUSABLE, ids=lambda settings: repr(settings)[:40])
def test_task_fails_at_once_where_no_process_can_be_given_the_words(settings, task, caplog):
    caplog.set_level("INFO")
    with pytest.raises(NoRetryError) as caught:
        task(**{"command": shell("echo {}"), **settings}).execute({})
    for told in (*caplog.messages, str(caught.value)):
        assert told.isprintable()
        assert len(told) < 2100


@pytest.mark.parametrize("code", ["EAGAIN", "ENOMEM", "EMFILE", "ENFILE", "EIO"])
def test_task_retries_where_the_machine_is_short_of_something(code, task, module, monkeypatch):
    def start(*_, **__):
        raise OSError(getattr(errno, code), "no")

    monkeypatch.setattr(module.subprocess, "Popen", start)
    with pytest.raises(FailedError, match="the command cannot be started") as caught:
        task().execute({})
    assert not isinstance(caught.value, NoRetryError)


def test_task_retries_when_a_signal_ended_the_command(task):
    with pytest.raises(FailedError, match="exit code 137") as caught:
        task(command=shell("kill -9 $$")).execute({})
    assert not isinstance(caught.value, NoRetryError)


def start(task, tmp_path, trap: str, body: str):
    """Execute a task in a thread; returns that and its process's id, once its trap is set."""
    pid = tmp_path / "pid"
    operator = task(command=shell(f"{trap}; echo $$ > {pid}.part; mv {pid}.part {pid}; {body}"))
    caught: list[Exception] = []

    def execute() -> None:
        try:
            operator.execute({})
        except FailedError as error:
            caught.append(error)

    running = threading.Thread(target=execute)
    running.start()
    while not pid.exists():
        time.sleep(0.01)
    return operator, running, int(pid.read_text()), caught


def test_killed_task_asks_its_command_to_stop_once_and_may_be_retried(task, tmp_path):
    stop = "trap 'echo asked >&2; sleep 0.3; exit 143' TERM"
    operator, running, pid, caught = start(task, tmp_path, stop, "while :; do sleep 0.01; done")
    operator.on_kill()
    operator.on_kill()
    running.join(10)
    assert not running.is_alive()
    assert str(caught[0]) == "exit code 143: asked"
    assert not isinstance(caught[0], NoRetryError)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_command_that_does_not_stop_is_killed_with_all_it_has_started(
    module, task, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "KILL_AFTER_SECONDS", 0.2)
    operator, running, _, caught = start(task, tmp_path, "trap '' TERM", "sleep 60 & wait; wait")
    operator.on_kill()
    # The task reads messages until nobody can write one: `sleep` had to go as well.
    running.join(10)
    assert not running.is_alive()
    assert "exit code 137" in str(caught[0])


def test_command_stops_when_its_task_runs_out_of_time(task, monkeypatch):
    def too_late(*_):
        raise TimeoutError

    previous = signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    operator = task(command=shell("echo $$ >&2; exec sleep 60"))
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        operator.execute({})
    signal.signal(signal.SIGALRM, previous)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(("name", "pool"), [("airflow_s3_dag", "textbatch"), ("airflow_dag", None)])
def test_an_example_gives_its_pool_on_to_airflow(name, pool, module, monkeypatch):
    """What the file says at its top is what the scheduler counts the task's slot in."""
    made = []

    class Made(module.TextbatchScoreOperator):
        def __init__(self, **settings):
            super().__init__(**settings)
            made.append(self)

    monkeypatch.setattr(module, "TextbatchScoreOperator", Made)
    sys.modules["airflow.sdk"].DAG = lambda *_, **__: nullcontext()
    text = (JOBS / f"{name}.py").read_text("utf-8")
    for pool_now in filter(None, (pool, pool and "another")):
        exec(text.replace('POOL = "textbatch"', f'POOL = "{pool_now}"'), {})
        assert made[-1].task["pool"] == pool_now
    if pool is None:
        exec(text, {})
        assert "pool" not in made[-1].task  # then it is Airflow's own default
