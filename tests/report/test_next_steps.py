from __future__ import annotations

import shlex

import pytest

from textbatch.report.next_steps import (
    INDENT,
    after_audit,
    after_evaluate,
    after_score,
    after_train,
    after_tune,
    after_vectors,
    command_line,
    words_of,
)
from textbatch.report.tuning import Trial, TuneReport
from textbatch.training.config.audit import AuditConfig
from textbatch.training.config.groups import RowOptions

ODD = "it's a place/Message Body"


def in_shell(lines) -> list[str]:
    """The words that a shell makes of the command among some lines."""
    (command,) = (line for line in lines if line.startswith(INDENT))
    return shlex.split(command)


def tuned(best: int) -> TuneReport:
    trials = [Trial(number=n, state="complete", loss=1.0, epochs=1, settings={}) for n in (0, 1)]
    return TuneReport(
        study=ODD, settings_file=f"{ODD}/best.toml", rows={}, best=best, trials=trials, settings={},
        warnings=[], seconds=1.0,
    )  # fmt: skip


def test_a_shell_takes_every_command_as_it_is_meant():
    train = ["train", ODD, "b.csv", "--text-column", "Message Body"]
    score = ["textbatch", "score", "new.csv", "scored.csv", "--model", ODD]
    assert in_shell(after_train(ODD, ["a.csv"])) == score
    assert in_shell(after_train(ODD, ["a.parquet"]))[2:4] == ["new.parquet", "scored.parquet"]
    assert in_shell(after_audit(ODD, train)) == ["textbatch", *train]
    assert in_shell(after_vectors(ODD))[-1] == ODD
    assert in_shell(after_score(ODD)) == ["textbatch", "show", ODD, "--below", "0.6"]
    withheld = in_shell(after_score(ODD, {"": {"ok": 3, "low_confidence": 1}}))
    assert withheld == ["textbatch", "show", ODD, "--status", "low_confidence"]
    evaluate = ["evaluate", ODD, "--model", ODD]
    found = in_shell(after_evaluate(evaluate))
    assert found == ["textbatch", *evaluate, "--html", "evaluation.html"]


def test_the_next_command_reads_the_rows_as_this_one_did():
    given = AuditConfig.given(
        {
            "inputs": [ODD, "b.csv"],
            "text_column": "Message Body",
            "delimiter": ";",
            "encoding": "latin-1",
            "null_text": ["-", "--", "n/a"],
            "join_lists": " ",
            "skip_unlabelled": True,
            "min_rows_per_label": 5,
            "folds": 3,
            "report": "r.json",
        }
    )
    words = words_of(given, RowOptions)
    assert words[:2] == [ODD, "b.csv"]
    assert "--folds" not in words
    expected = "--text-column|Message Body|--delimiter|;|--encoding|latin-1|--null-text|n/a"
    expected += "|--null-text=-|--null-text=--|--join-lists| |--skip-unlabelled"
    expected += "|--min-rows-per-label|5"
    assert sorted(words[2:]) == sorted(expected.split("|"))


def test_a_search_that_found_nothing_better_says_so():
    train = ["train", "a.csv"]
    nothing = list(after_tune(tuned(0), train))
    assert nothing[0].startswith("Nothing better found in 2 trials")
    assert in_shell(nothing) == ["textbatch", *train]
    better = list(after_tune(tuned(1), train))
    assert in_shell(better) == ["textbatch", *train, "--settings", f"{ODD}/best.toml"]
    assert "Nothing better" not in " ".join(better)


@pytest.mark.parametrize(
    ("given", "reading", "suffix"),
    [
        ("a.CSV.gz", [], ".csv"),
        ("a.tsv", [], ".tsv"),
        ("a.jsonl.zst", [], ".jsonl"),
        ("a.ndjson", [], ".ndjson"),
        ("a.pq", [], ".parquet"),
        ("-", ["--format", "jsonl"], ".jsonl"),
        ("a.data", ["--format", "csv"], ".csv"),
    ],
)
def test_the_new_file_is_of_the_kind_of_the_old_one(given, reading, suffix):
    words = in_shell(after_train("m", [given], reading))
    assert words[2:4] == [f"new{suffix}", f"scored{suffix}"]


@pytest.mark.parametrize("name", ["Message Body", "it's", "$HOME", "a;b", "-x"])
def test_a_column_of_any_name_is_one_word(name):
    assert shlex.split(command_line("score", "--text-column", name))[-1] == name
