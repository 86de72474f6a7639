"""What another user of the machine has planted beside an output never becomes one."""

from __future__ import annotations

import hashlib
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import random_texts

from textbatch import score
from textbatch.data.output import journal
from textbatch.errors import TextbatchError

OTHER = 54321
ROWS = 300

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can play another user")


@pytest.fixture
def planted(tmp_path, model, monkeypatch):
    """A sticky directory with the work directory of this very job, and a forged journal in it."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    pq.write_table(pa.table({"text": random_texts(ROWS, seed=2)}), tmp_path / "in.parquet")
    real, calls = journal.Journal.append, []

    def append(self, *rows):
        real(self, *rows)
        calls.append(rows)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(journal.Journal, "append", append)
        with pytest.raises(KeyboardInterrupt):
            score(tmp_path / "in.parquet", shared / "out.parquet", model=model, chunk_rows=100)
    folder = shared / ".out.parquet.textbatch"
    forge(folder / "journal")
    return shared, folder


def forge(path) -> None:
    """Give the first record other answers, and a hash that fits to them."""
    data = bytearray(path.read_bytes())
    start = data.index(b"\n") + 1
    header = journal._HEADER
    _, _, count, length, _ = header.unpack_from(data, start)
    body = start + header.size + 32
    for at in range(body + count, body + 5 * count):  # the best labels
        data[at] = 0
    payload = bytes(data[body : body + length])
    head = bytes(data[start : start + header.size])
    data[start + header.size : body] = hashlib.sha256(head + payload).digest()
    path.write_bytes(data)


@pytest.mark.parametrize("whose", ["directory", "journal", "both"])
def test_a_journal_that_another_user_planted_is_not_resumed(whose, planted, model, tmp_path):
    shared, folder = planted
    if whose != "journal":
        os.chown(folder, OTHER, OTHER)
    if whose != "directory":
        os.chown(folder / "journal", OTHER, OTHER)
    with pytest.raises(TextbatchError) as caught:
        score(tmp_path / "in.parquet", shared / "out.parquet", model=model, chunk_rows=100)
    assert caught.value.exit_code in (73, 77)
    assert not (shared / "out.parquet").exists()


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_a_journal_that_is_a_link_is_not_resumed(kind, planted, model, tmp_path):
    shared, folder = planted
    kept = shared / "kept"
    (folder / "journal").rename(kept)
    content = kept.read_bytes()
    (os.symlink if kind == "symbolic" else os.link)(kept, folder / "journal")
    with pytest.raises(TextbatchError):
        score(tmp_path / "in.parquet", shared / "out.parquet", model=model, chunk_rows=100)
    assert not (shared / "out.parquet").exists()
    assert kept.read_bytes() == content


def test_a_work_directory_that_is_a_link_is_not_used(planted, model, tmp_path):
    shared, folder = planted
    folder.rename(shared / "kept")
    folder.symlink_to(shared / "kept")
    with pytest.raises(TextbatchError):
        score(tmp_path / "in.parquet", shared / "out.parquet", model=model, chunk_rows=100)
    assert not (shared / "out.parquet").exists()
