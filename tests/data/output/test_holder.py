"""A worker writes nothing for a run that has ended, or that another one has followed."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from textbatch.data.output.holder import Holder
from textbatch.data.output.work_directory import WorkDirectory, holder_of
from textbatch.errors import ConflictError, TryAgainError

RUN, OTHER = "a" * 16, "b" * 16


@pytest.fixture
def held(tmp_path):
    work = WorkDirectory(tmp_path / "out", RUN)
    yield work, Holder.this_process(tmp_path / "out", RUN)
    work.release(keep=False)


def test_a_run_that_goes_on_is_worked_for(held):
    _, holder = held
    holder.check_seen()
    holder.check()


@pytest.mark.parametrize("keep", [True, False])
def test_a_run_that_has_ended_gets_nothing(keep, tmp_path):
    work = WorkDirectory(tmp_path / "out", RUN)
    holder = Holder.this_process(tmp_path / "out", RUN)
    work.release(keep=keep)
    with pytest.raises(TryAgainError, match="has ended"):
        holder.check()


def test_a_run_that_another_one_has_followed_gets_nothing(held, tmp_path):
    work, holder = held
    work.release(keep=True)
    later = WorkDirectory(tmp_path / "out", OTHER)
    assert later.inherited
    assert holder_of(tmp_path / "out") == OTHER
    # Also from another machine, where process ids tell nothing.
    with pytest.raises(TryAgainError):
        replace(holder, machine="elsewhere 1").check()
    later.release(keep=False)


def test_a_run_whose_process_died_gets_nothing_on_its_machine(held):
    _, holder = held
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = replace(holder, process=gone.pid)
    with pytest.raises(TryAgainError):
        dead.check()
    replace(dead, machine="elsewhere 1").check()


def test_a_worker_that_sees_other_disks_or_has_another_release_says_so(held, tmp_path):
    _, holder = held
    name = os.uname().nodename
    with pytest.raises(ConflictError, match=rf"{name} does not see .*; put the output on a disk"):
        replace(holder, work=tmp_path / "elsewhere").check_seen()
    with pytest.raises(ConflictError, match=rf"{name} has textbatch .* the job is of 0\.0\.1"):
        replace(holder, textbatch="0.0.1").check_seen()
