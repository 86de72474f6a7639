from __future__ import annotations

import pytest

from textbatch.data.storage.patterns import expression_of


@pytest.mark.parametrize(
    ("pattern", "matches", "misses"),
    [
        ("*.csv", ["a.csv", "a.csv/below"], ["a.csvx", "x/a.csv"]),
        ("**/*.csv", ["a.csv", "x/y/a.csv"], ["a.txt"]),
        ("x=?/[ab].csv", ["x=1/a.csv"], ["x=12/a.csv", "x=1/c.csv", "x=1y/a.csv"]),
        ("**", ["a", "x/y/a.csv", "x\ny"], []),
        ("x/**", ["x/a", "x/y/a"], ["x", "y/a"]),
        ("[!a].csv", ["b.csv"], ["a.csv", "/.csv"]),
        ("x[!a]y?z", ["xbycz", "x]y?z"], ["x/ycz", "xby/z", "xaycz"]),
        ("[]a]*[?]", ["]x?", "a?"], ["b?", "ax"]),
        ("a[b.(c", ["a[b.(c"], ["ab.(c"]),
        ("x*/b", ["xyz/b", "xyz/b/c"], ["x/y/b"]),
    ],
)
def test_patterns_for_object_names_are_those_of_a_shell(pattern, matches, misses):
    expression = expression_of(pattern)
    assert all(map(expression.match, matches))
    assert not any(map(expression.match, misses))
