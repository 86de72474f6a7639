"""The sums over the files of a folder."""

from __future__ import annotations

from itertools import permutations

from support.records import part_record

from textbatch.scoring.folder.notes import FileNotes
from textbatch.scoring.folder.totals import Totals


def test_the_mean_confidence_does_not_depend_on_which_file_ends_first():
    records = [part_record(mean_confidence=value) for value in (0.1, 0.7, 0.2, 0.6)]
    found = set()
    for order in permutations(records):
        totals = Totals()
        for record in order:
            totals.add(record)
        found.add(totals.counts().mean_confidence)
    assert len(found) == 1


def test_labels_and_notes_do_not_depend_on_which_file_ends_first():
    files = {
        "a": ({"x": 3}, ["same"]),
        "b": ({"y": 2, "x": 1}, ["same", "own"]),
        "c": ({"w": 3}, ["z"]),
    }
    found = set()
    for order in permutations(files):
        totals, notes = Totals(), FileNotes()
        for name in order:
            labels, told = files[name]
            totals.add(part_record(labels=labels))
            notes.add(name, told)
        found.add((str(totals.totals().labels), *notes.told()))
    assert found == {("{'w': 3, 'x': 4, 'y': 2}", "a and 1 more: same", "b: own", "c: z")}
