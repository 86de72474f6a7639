from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def children(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def process_one(job):
    """Start the job as process 1 of its own process namespace, as a container does."""
    command = ["unshare", "--pid", "--fork", "--kill-child"]
    if not shutil.which("unshare") or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("this machine lets nobody make a process namespace")
    with subprocess.Popen(
        [*command, sys.executable, "-m", "textbatch", *job.arguments, "--chunk-rows", "20"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        journal = job.folder / ".out.parquet.textbatch" / "journal"
        while process.poll() is None and not journal.exists():
            time.sleep(0.002)
        yield process
        process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_process_one_of_a_container_stops_and_goes_on(number, code, process_one, job):
    (inner,) = children(process_one.pid)
    os.kill(inner, number)
    _, told = process_one.communicate(timeout=30)
    assert process_one.returncode == code, told
    assert "run again to go on" in told
    assert job.names() == [".out.parquet.textbatch"]
    assert job.run().returncode == 0
    job.assert_complete()


_STUCK = """
import time
from textbatch.cli import signals
from textbatch.errors import TerminatedError
signals.catch_signals()
signals.GRACE_SECONDS = float(GRACE)
while True:
    try:
        print("ready", flush=True)
        time.sleep(60)
    except (TerminatedError, KeyboardInterrupt):
        print("swallowed", flush=True)
"""


def stuck(grace: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", f"GRACE = {grace}\n{_STUCK}"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_process_that_cannot_stop_is_ended_after_a_while(number, code):
    with stuck(0.3) as process:
        process.send_signal(number)
        assert process.stdout.readline() == "swallowed\n"
        assert process.wait(timeout=30) == code


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_second_signal_ends_it_at_once(number, code):
    with stuck(3600) as process:
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "swallowed\n"
        process.send_signal(number)
        assert process.wait(timeout=30) == code


def test_an_ignored_sigint_stays_ignored():
    code = "import signal, sys\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    code += "from textbatch.cli.signals import catch_signals\ncatch_signals()\n"
    code += "signal.raise_signal(signal.SIGINT)\nprint('alive')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")


_COMPILING = """
import signal, sys
from textbatch.cli import signals
signals.catch_signals()
try:
    # As dataclasses and named tuples do when a module defines one.
    exec("import signal, time; signal.raise_signal(signal.SIGINT); time.sleep(60)")
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_an_interrupt_in_code_that_is_compiled_on_the_way_ends_with_130(tmp_path):
    # With -m, as Python itself would end such a process by the signal instead.
    (tmp_path / "compiling.py").write_text(_COMPILING)
    done = subprocess.run([sys.executable, "-m", "compiling"], cwd=tmp_path, check=False)
    assert done.returncode == 130


_LOSING = """
import sys, time
from textbatch.cli import signals
from textbatch.errors import TerminatedError
signals.catch_signals()

class Lost:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)
        time.sleep(0)

asked = []

class Probing(type):
    # NumPy drops every exception that comes up while it looks for an attribute.
    def __getattr__(cls, name):
        if not asked:
            asked.append(name)
            signal.raise_signal(signal.SIGTERM)
            time.sleep(0)
        raise AttributeError(name)

class Number(int, metaclass=Probing):
    pass

import signal
try:
    if sys.argv[1] == "destructor":
        Lost()
    elif sys.argv[1] == "native":
        import numpy
        numpy.arange(3) < Number(2)
    else:
        sys.path.insert(0, sys.argv[2])
        import interrupted
    time.sleep(60)
except TerminatedError:
    # Cleaning up is left in peace.
    time.sleep(0.2)
    signals.stopped()
    print("stopped", "interrupted" in sys.modules)
"""


@pytest.mark.parametrize(
    ("place", "told"), [("destructor", "False"), ("import", "True"), ("native", "False")]
)
def test_a_signal_is_not_lost(place, told, tmp_path):
    (tmp_path / "interrupted.py").write_text(
        "import signal, time\nsignal.raise_signal(signal.SIGTERM)\ntime.sleep(0.1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", _LOSING, place, tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"stopped {told}\n", "")
