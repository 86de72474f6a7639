from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textbatch.errors import UsageError
from textbatch.scoring.releases.requirement import Measure, Requirement


@pytest.mark.parametrize(
    ("text", "current", "value", "met"),
    [
        ("accuracy >= current - 0.002", 0.902, 0.9, True),
        ("accuracy>=current-0.002", 0.902, 0.8999, False),
        ("accuracy >= -0.002 + current", 0.902, 0.9, True),
        ("macro_f1 > current", 0.5, 0.5, False),
        ("ece <= current + 1%", 0.04, 0.05, True),
        ("ece < 5e-2", None, 0.05, False),
        ("answered >= 0.5 + .25 - 25%", None, 0.5, True),
        ("accuracy >= current - current + 0.4", 0.9, 0.4, True),
        ("  accuracy  >=  1 ", None, 1.0, True),
        ("accuracy >= 1", None, None, False),
    ],
)
def test_a_condition_compares_the_new_model_with_a_bound(text, current, value, met):
    requirement = Requirement.parse(text)
    bound = requirement.bound(current)
    assert bound is not None
    assert requirement.is_met(value, bound) is met
    assert requirement.text == text.strip()


def test_without_a_current_model_there_is_no_bound():
    assert Requirement.parse("accuracy >= current").bound(None) is None


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ("Sci/Tech", "Sci/Tech"),
        (" not spam ", "not spam"),
        ('"a (b)"', "a (b)"),
        ("'say \"no\"'", 'say "no"'),
        ('"don\'t"', "don't"),
        ("文", "文"),
        ("7", "7"),
        ("current - 1", "current - 1"),
        ('" "', " "),
    ],
)
def test_a_label_is_any_text(given, label):
    found = Requirement.parse(f"recall({given}) >= 0.9")
    assert found.measure == Measure(name="recall", label=label)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "a measure"),
        ("accuracy", "a comparison"),
        ("accuracy == 1", "character 9"),
        ("accuracy >=", "a number or the word current"),
        ("accuracy >= now", "numbers and the word current"),
        ("accuracy >= current * 2", "character 20"),
        ("accuracy >= 1 2", r"\+ or -"),
        ("accuracy >= 1 +", "a number or the word current"),
        ("accuracy >= - - 1", "a number or the word current"),
        ("accuracy >= 1 >= 2", r"\+ or -"),
        ("recall >= 1", "a label in brackets"),
        ("recall() >= 1", "character 7"),
        ("accuracy(a) >= 1", "a comparison"),
        ("loss >= 1", "there is no measure 'loss'"),
        ("accuracy >= 1e999", "too large"),
        ("accuracy >= nan", "numbers and the word current"),
        ("__import__('os').system('id') >= 1", "not understood"),
        ("accuracy >= (1)", "a number or the word current"),
        ("accuracy >= current; id", "character 20"),
        ("1 >= accuracy", "a measure"),
        ("a" * 2000, "too long"),
    ],
)
def test_what_is_no_condition_is_refused(text, told):
    with pytest.raises(UsageError, match=told):
        Requirement.parse(text)


@given(st.text(max_size=40) | st.text("acurey currnt>=<+-.0123456789()'\"%e", max_size=40))
def test_any_text_is_a_condition_or_a_usage_error(text):
    with contextlib.suppress(UsageError):
        Requirement.parse(text)
