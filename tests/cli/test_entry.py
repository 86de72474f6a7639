from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading

import pytest

from textbatch.cli import app, entry


def test_the_search_for_dead_cycles_does_not_slow_the_start():
    code = (
        "import gc, sys\n"
        "from textbatch.cli.entry import main\n"
        "sys.argv = ['textbatch', '--version']\n"
        "began = sum(one['collections'] for one in gc.get_stats())\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "assert gc.isenabled()\n"
        "print(sum(one['collections'] for one in gc.get_stats()) - began)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # With Python's own number of objects there are about forty.
    assert int(run.stdout.splitlines()[-1]) < 5


def test_a_call_that_was_given_up_does_not_crash_the_process_at_its_end(monkeypatch, capsys):
    class LeftError(Exception):
        pass

    frozen: list[bool] = []

    def leave(code: int) -> None:
        raise LeftError(code)

    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr("atexit._run_exitfuncs", lambda: None)
    monkeypatch.setattr(app, "_run", lambda: 75)
    for name in ("mend_streams", "catch_signals", "own_process"):
        monkeypatch.setattr(entry, name, lambda: None)
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    monkeypatch.setattr(threading, "enumerate", lambda: others)  # other tests leave calls
    others = []
    with pytest.raises(SystemExit, match="75"):
        entry.main()
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="textbatch-request", daemon=True)
    thread.start()
    others.append(thread)
    with pytest.raises(LeftError, match="75"):
        entry.main()
    # Who calls it within a process of his own keeps the process.
    with pytest.raises(SystemExit, match="75"):
        app.main()
    assert frozen == [True]
    end.set()
    thread.join()
