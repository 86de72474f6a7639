from __future__ import annotations

from dataclasses import replace

from support.bundles import random_bundle

from textbatch.report.long_texts import cut_notes
from textbatch.report.scoring import RunReport

PROFILE = replace(
    random_bundle().profile, rows=100, truncated_share=0.01, tokens_by_quantile={"0.99": 12.0}
)


def notes(statuses, on_long="auto", profile=PROFILE):
    report = RunReport(
        run_id="r",
        state="done",
        input="in.csv",
        output="out.csv",
        model="model",
        textbatch="1.0",
        started="2026-01-01T00:00:00+00:00",
        statuses=statuses,
    )
    return [*cut_notes(report, [profile], on_long)]


def test_a_note_tells_where_clearly_more_texts_are_cut_than_in_training():
    (note,) = notes({"ok": 80, "truncated": 20})
    assert note.startswith("20% of the texts are longer than what the model reads")
    assert "1.0% in training, where 99 of 100 had at most 12 tokens" in note
    assert "--on-long window" in note


def test_a_few_cut_texts_and_texts_read_whole_are_not_worth_a_note():
    assert not notes({"ok": 97, "truncated": 3})
    assert not notes({"ok": 5, "truncated": 5})
    assert not notes({"windowed": 80, "truncated": 20}, on_long="window")
    assert not notes({"ok": 80, "truncated": 20}, profile=None)
    assert not notes({})
