from __future__ import annotations

import pytest

from textbatch.data.readers.compressed import ByteStream
from textbatch.data.storage.file_io import new_input


class _ClosedMeanwhile:
    """A file that another thread closes after this one has looked whether it is closed."""

    closed = False

    def tell(self) -> int:
        raise ValueError("I/O operation on closed file")


@pytest.mark.parametrize("name", ["in.csv", "in.csv.gz"])
def test_progress_may_be_asked_for_while_another_thread_closes_the_file(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(b"text\n")
    stream = ByteStream(new_input(path))
    stream.close()
    assert stream.progress() == 1.0
    stream._raw = _ClosedMeanwhile()
    assert stream.progress() == 1.0
