from __future__ import annotations

import pytest

from textbatch.report.labels import shown_label


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("refund", "refund"),
        ("文 本", "文 本"),
        ("caf\xe9", "caf\xe9"),
        ("cafe\u0301", "cafe\\u0301"),
        ("refund ", "'refund '"),
        (" refund", "' refund'"),
        ("re  fund", "'re  fund'"),
        ("a\xa0b", "'a\\xa0b'"),
        ("", "''"),
        ("'a'", "''a''"),
        ("a\x1b[2J\u202e", "a\\x1b[2J\\u202e"),
        ("a\nb", "'a\\nb'"),
    ],
)
def test_labels_that_look_alike_are_shown_apart(label, shown):
    assert shown_label(label) == shown
    assert shown_label(label).isprintable()


def test_a_long_label_is_cut():
    assert len(shown_label("x" * (1 << 20))) == 80
