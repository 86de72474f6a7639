from __future__ import annotations

import pytest

from textbatch.data.output.quarantine import Quarantine
from textbatch.data.readers.bad_rows import BadRow
from textbatch.errors import OutputError


def test_a_file_that_is_not_published_leaves_nothing(tmp_path):
    path = tmp_path / "aside.jsonl"
    path.write_text("old")
    for _ in range(2):
        file = Quarantine(path, source=path, output=tmp_path / "out", with_text=False)
        file.add([BadRow(row=1, reason="bad_utf8")])
    # The second one has removed what the first, as if dead, left behind.
    assert len(list(tmp_path.glob(".aside*"))) == 1
    file.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["aside.jsonl"]
    assert path.read_text() == "old"


def test_a_place_without_a_directory_is_told(tmp_path):
    with pytest.raises(OutputError, match="cannot create"):
        Quarantine(tmp_path / "no" / "q", source=tmp_path, output=tmp_path, with_text=False)


@pytest.mark.parametrize("with_text", [True, False])
def test_texts_are_for_its_owner_alone(with_text, tmp_path):
    """Also where everybody may read the file that it replaces."""
    path = tmp_path / "aside.jsonl"
    path.touch(0o644)
    file = Quarantine(path, source=path, output=tmp_path / "out", with_text=with_text)
    file.add([BadRow(row=1, reason="bad_utf8")])
    file.publish()
    assert path.stat().st_mode & 0o777 == (0o600 if with_text else 0o644)
