"""The rows of all workers together, as they go."""

from __future__ import annotations

from textbatch.data.output.work_directory import WorkDirectory
from textbatch.report.listener import Listener
from textbatch.scoring.backends import told
from textbatch.scoring.backends.told import AllWorkers, Tells


class Seen(Listener):
    def __init__(self):
        self.rows, self.shares = 0, [0.0]

    def advance(self, rows, share=None):
        self.rows += rows
        self.shares.append(share)


def test_rows_of_workers_are_added_up_and_never_go_back(tmp_path, monkeypatch):
    monkeypatch.setattr(told, "_TELL_SECONDS", 0)
    work, seen = WorkDirectory(tmp_path / "out", "a" * 16), Seen()
    workers = AllWorkers(tmp_path / "out", seen, total_bytes=400)
    workers.listen()
    first, second = workers.begin(100), workers.begin(200)
    one, two = Tells(first), Tells(second)
    one.begin(10)
    two.begin(None)
    one.advance(5)
    two.advance(7, 0.25)
    workers.look()
    assert (seen.rows, seen.shares[-1]) == (12, 0.25)
    workers.end(first, 10)
    assert (seen.rows, seen.shares[-1]) == (17, 0.375)
    # The worker of the second file died: another one begins it again.
    two = Tells(second)
    two.begin(None)
    two.advance(1, 0.01)
    workers.look()
    assert (seen.rows, seen.shares[-1]) == (17, 0.375)
    third = workers.begin(100)
    assert third != second
    workers.end(second, 20)
    workers.end(third, 0)
    assert (seen.rows, seen.shares[-1]) == (30, 1.0)
    work.release(keep=False)
    assert not list(tmp_path.iterdir())
    # A worker that goes on writes nothing: the folder is gone.
    two.advance(1, 0.5)
    assert not list(tmp_path.iterdir())
