from __future__ import annotations

from pathlib import Path

import pytest

from textbatch.data.storage.location import RemotePath, is_within, location_of, resolved


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("s3://bucket/a/b.parquet", RemotePath("s3", "bucket", "a/b.parquet")),
        ("s3://bucket/a/", RemotePath("s3", "bucket", "a")),
        (Path("s3://bucket/a"), RemotePath("s3", "bucket", "a")),
        ("hf://datasets/x", RemotePath("hf", "datasets", "x")),
        ("s3://bucket", RemotePath("s3", "bucket")),
        ("s3://bucket//a/../b", RemotePath("s3", "bucket", "/a/../b")),
        ("s3://bucket/a//", RemotePath("s3", "bucket", "a/")),
        ("s3:/bucket/a", Path("s3:/bucket/a")),
        ("a/b", Path("a/b")),
        ("/a:/b", Path("/a:/b")),
        ("file:///a/b", Path("/a/b")),
    ],
)
def test_a_uri_is_told_from_a_path(given, expected):
    assert location_of(given) == expected


def test_nesting_is_seen_within_one_store_only():
    folder = RemotePath("s3", "b", "in")
    assert is_within(RemotePath("s3", "b", "in/x"), folder)
    assert not is_within(RemotePath("s3", "b", "input"), folder)
    assert not is_within(RemotePath("gs", "b", "in/x"), folder)
    assert not is_within(Path("/b/in"), folder)
    assert not is_within(folder, Path("/"))
    assert resolved(folder) == folder
