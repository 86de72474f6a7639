from __future__ import annotations

import threading

import pytest

from textbatch.report.listener import Listener
from textbatch.training import fold_progress
from textbatch.training.fold_progress import StepFile, steps_told


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (["epoch 3"], "epoch 3"),
        (["epoch 3", "epoch 3"], "epoch 3"),
        (["epoch 10", "epoch 9", "epoch 12"], "epochs 9 to 12"),
        (["word vectors", "epoch 2"], "word vectors and epoch 2"),
        (["near duplicates", "reading vectors", "epoch 2"], "near duplicates and reading v…"),
        ([""], ""),
        ([], ""),
    ],
)
def test_the_steps_of_all_folds_are_told_in_a_few_words(steps, told, tmp_path):
    over = StepFile(tmp_path / "over")
    over.begin(None, step="epoch 99")
    over.done()
    over.done()
    for number, step in enumerate(steps):
        StepFile(tmp_path / str(number)).begin(1_000, step=step)
    assert fold_progress._together(tmp_path) == told


def test_they_are_told_while_the_folds_run_and_the_files_go_away(monkeypatch):
    monkeypatch.setattr(fold_progress, "_EVERY", 0.01)
    heard, said = threading.Event(), []

    class Hears(Listener):
        def inside(self, what: str) -> None:
            said.append(what)
            if what == "epoch 7":
                heard.set()

    with steps_told(Hears()) as folder:
        StepFile(folder / "0").begin(1_000, step="epoch 7")
        assert heard.wait(20)
    assert set(said) == {"starting", "epoch 7"}
    assert not folder.exists()
    StepFile(folder / "0").begin(1_000, step="a fold does not fail for that")
