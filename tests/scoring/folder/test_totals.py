"""The sums over the files of a folder."""

from __future__ import annotations

from itertools import permutations

from support.records import part_record

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
