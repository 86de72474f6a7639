"""What a dead run finished and did not upload is uploaded only as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from textbatch import score
from textbatch.data.storage import s3_upload
from textbatch.errors import TryAgainError


@pytest.fixture(params=["out.parquet", "out.csv"])
def left(request, store, input_file, model, tmp_path, monkeypatch):
    """The name of an output, and the file that a run has left that could not upload it."""

    def down(*arguments: object) -> None:
        raise TryAgainError("the store is down", "run again later")

    place = f"s3://bucket/{request.param}"
    with monkeypatch.context() as patched:
        patched.setattr(s3_upload.S3Upload, "run", down)
        with pytest.raises(TryAgainError):
            score(input_file, place, model=model)
    # A record of CSV stands beside it.
    found = [
        path
        for path in (tmp_path / "cache").rglob("*")
        if path.is_file() and path.name == request.param
    ]
    assert len(found) == 1
    score(input_file, tmp_path / request.param, model=model)
    return request.param, found[0], (tmp_path / request.param).read_bytes()


def rows_of(data: bytes, name: str, folder: Path):
    import pyarrow.parquet as pq

    if name.endswith(".csv"):
        return data
    (folder / "there.parquet").write_bytes(data)
    return pq.read_table(folder / "there.parquet")


def test_a_staged_output_that_was_exchanged_is_made_anew(left, store, input_file, model, tmp_path):
    name, staged, expected = left
    data = bytearray(staged.read_bytes())
    data[len(data) // 3] ^= 1
    staged.write_bytes(data)
    score(input_file, f"s3://bucket/{name}", model=model)
    found = rows_of(store.get(name), name, tmp_path)
    assert found == rows_of(expected, name, tmp_path)


def test_a_staged_output_that_is_whole_is_uploaded(left, store, input_file, model):
    name, staged, _ = left
    data = staged.read_bytes()
    score(input_file, f"s3://bucket/{name}", model=model)
    assert store.get(name) == data
