from __future__ import annotations

from pathlib import Path

import pytest

from textbatch.data.storage.names import is_file_name, place_in
from textbatch.errors import DataError


@pytest.mark.parametrize(
    "name", ["a", "a/b.csv", "..a/b..", "a b/ü.csv", "...", "k=v/x", "a" * 255, "\udcff"]
)
def test_names_of_files(name):
    assert is_file_name(name)
    assert place_in(Path("/out"), name) == Path("/out", name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "/a", "//a", "a//b", "a/", "a/./b", "./a", "..", "../a", "a/../../b", "a\0b", "."),
        *("a" * 256, "a/" + "é" * 128 + "/b", "\ud800.csv"),
    ],
)
def test_names_that_lead_elsewhere_are_none(name):
    assert not is_file_name(name)
    with pytest.raises(DataError, match="is no name of a file in /out"):
        place_in(Path("/out"), name)
