"""`predict`: answers to a few texts from the command line."""

from __future__ import annotations

import io
import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.errors import BundleError, DataError, UsageError
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.predict import predict_texts
from textbatch.scoring.score import score
from textbatch.scoring.show_options import PredictOptions

TEXTS = ["refund the card", "", "zzz qqq", "the " * 50, "login password", "ünknown 文"]


@pytest.fixture
def stdin(monkeypatch):
    def given(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return given


def answers(model, *texts):
    return list(predict_texts(PredictOptions(texts=texts, model=model)))


def test_the_answers_are_those_of_score(model, tmp_path):
    pq.write_table(pa.table({"text": TEXTS}), tmp_path / "in.parquet")
    output = tmp_path / "out.parquet"
    score(ScoreConfig(inputs=(tmp_path / "in.parquet",), output=output, model=model, top_k=3))
    wanted = pq.read_table(output).to_pylist()
    found = answers(model, *TEXTS)
    assert [one.status for one in found] == [row["status"] for row in wanted]
    for one, row in zip(found, wanted, strict=True):
        assert [best.label for best in one.labels] == (row["top_labels"] or [])
        confidences = [best.confidence for best in one.labels]
        assert confidences == pytest.approx(row["top_confidences"] or [], abs=1e-7)


def test_each_line_of_standard_input_is_a_text(model, stdin):
    stdin(b"refund the card\n\nlate \xff\r\nlogin\r\nno newline")
    found = answers(model, "the card", "-")
    assert [one.text for one in found] == [
        "the card",
        "refund the card",
        "",
        "late \ufffd",
        "login",
        "no newline",
    ]
    assert [one.status for one in found][2:4] == ["empty_text", "bad_text"]
    assert found[3].labels == ()


def test_a_mark_before_the_first_line_is_no_text(model, stdin):
    stdin(b"\xef\xbb\xbflogin\n\xef\xbb\xbfcard\n")
    assert [one.text for one in answers(model, "-")] == ["login", "\ufeffcard"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_refused_and_a_bad_text_is_not(encoding, model, stdin):
    stdin("\ufefflogin\ncard\n".removeprefix("\ufeff" * (encoding == "utf-16")).encode(encoding))
    with pytest.raises(DataError, match="standard input is UTF-16, not UTF-8; convert"):
        answers(model, "-")
    stdin(b"\xff\xfe login\n")
    assert [one.status for one in answers(model, "-")] == ["bad_text"]


def test_many_lines_are_answered_in_order(model, stdin):
    stdin(b"".join(b"refund %d\n" % number for number in range(3000)))
    assert [one.text for one in answers(model, "-")] == [f"refund {n}" for n in range(3000)]


def test_one_text_gets_its_three_best_labels(model, in_process):
    done = in_process("predict", "refund the card", "-m", model)
    assert done.returncode == 0
    (first, *others) = done.stdout.splitlines()
    assert len(others) == 2
    (best, *_) = answers(model, "refund the card")[0].labels
    assert first.split() == [best.label, f"{best.confidence:.3f}"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty_text: no label"),
        ("zzz qqq", "no_known_tokens: no label: the model knows none of its words"),
        ("a\udcff", "bad_text: no label"),
    ],
)
def test_a_text_without_evidence_gets_no_label(text, told, model, in_process):
    done = in_process("predict", text, "-m", model)
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert done.stdout.startswith(told)


def test_a_long_text_says_that_only_its_beginning_counted(model, in_process):
    lines = in_process("predict", "the " * 50, "-m", model).stdout.splitlines()
    assert lines[0].startswith("truncated: ")
    assert len(lines) == 4


def test_several_texts_are_a_table(model, in_process):
    done = in_process("predict", "refund\x1b[2J", "zzz", "-m", model)
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert lines[0].split() == ["text", "status", "best", "label", "second", "third"]
    assert "refund\\x1b[2J" in lines[2]
    assert "no_known_tokens" in lines[3]


def test_json_is_one_object_for_each_text(model, in_process, stdin):
    stdin(b"login\nzzz\n")
    done = in_process("predict", "-", "--json", "-m", model)
    found = list(map(json.loads, done.stdout.splitlines()))
    assert [one["text"] for one in found] == ["login", "zzz"]
    assert [len(one["labels"]) for one in found] == [3, 0]
    assert found[1]["status"] == "no_known_tokens"


def test_a_missing_text_or_model_is_told(model, tmp_path, in_process):
    with pytest.raises(UsageError, match="no text"):
        answers(model)
    with pytest.raises(BundleError):
        answers(tmp_path / "none", "a text")
    assert in_process("predict", "-m", model).returncode == 2
