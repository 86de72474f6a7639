from __future__ import annotations

from random import Random

import pytest

from textbatch.errors import UsageError
from textbatch.training.augment.labelled_templates import LabelledTemplates

GOOD = """
[patterns]
"late parcels" = ["where is {thing}", "{thing} is late"]
refunds = ["money back for {thing}"]
[slots]
thing = ["the {size} lamp", "my desk"]
size = ["small", "big"]
"""


def test_every_label_gets_texts_from_its_own_patterns():
    templates = LabelledTemplates.parse(GOOD, "t.toml")
    things = ("the small lamp", "the big lamp", "my desk")
    made = templates.texts(Random(0), "late parcels", 200)
    assert len(made) == 200
    assert set(made) == {f"where is {t}" for t in things} | {f"{t} is late" for t in things}
    assert set(templates.texts(Random(0), "refunds", 50)) == {f"money back for {t}" for t in things}


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[patterns\n", "t.toml is not TOML"),
        ("", "another shape"),
        ("[patterns]\n", "another shape"),
        ("[patterns]\na = 'text'\n", "another shape"),
        ("[patterns]\na = []\n", "another shape"),
        ("[patterns]\na = [1]\n", "another shape"),
        ("[patterns]\na = ['x']\n[slots]\nb = []\n", "another shape"),
        ("[patterns]\na = ['x']\n[other]\nb = ['y']\n", "another shape"),
        ("[patterns]\na = ['x {b}']\n", r"slot \{b\} has no phrases"),
        ("[patterns]\na = ['x {b}']\n[slots]\nb = ['y', '{c}']\n", r"slot \{c\} has no phrases"),
        ("[patterns]\na = ['x {b}']\n[slots]\nb = ['y', '{b}']\n", r"slot \{b\} holds itself"),
        ("[patterns]\na = ['x', '?!']\n", "pattern 2 of 'a' can come out without a word"),
        ("[patterns]\na = ['{b}']\n[slots]\nb = ['y', '']\n", "pattern 1 of 'a' can come out"),
    ],
)
def test_files_that_cannot_be_filled_are_refused_at_once(toml, message):
    with pytest.raises(UsageError, match=message):
        LabelledTemplates.parse(toml, "t.toml")
