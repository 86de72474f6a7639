from __future__ import annotations

import pytest
from support.object_store import BUCKET

from textbatch.data.storage.file_io import is_pattern, new_input
from textbatch.data.storage.location import RemotePath, location_of
from textbatch.errors import DataError, TryAgainError


@pytest.fixture
def replaced(store):
    """An object that is replaced by another one of its size after the first look."""
    store.put("a.csv", b"text\n" + b"old\n" * 10)
    file = new_input(RemotePath("s3", BUCKET, "a.csv"))
    file.look()
    store.put("a.csv", b"text\n" + b"new\n" * 10)
    return file


def test_an_object_that_was_replaced_is_not_read_on(replaced):
    with (
        pytest.raises(DataError, match="was replaced while it was read"),
        replaced.open() as opened,
    ):
        opened.read()
    with new_input(replaced.location).open() as opened:
        assert b"new" in opened.read()


@pytest.mark.parametrize(
    ("key", "others"),
    [("dbl//a", ["dbl/a"]), ("dot/./a", ["dot/a"]), ("x/../a", ["a"]), ("/a", ["a"])],
)
def test_a_key_is_exact(key, others, store):
    for other in others:
        store.put(other, b"of another object")
    file = new_input(location_of(f"s3://{BUCKET}/{key}"))
    assert not file.exists()
    store.put(key, b"its own")
    with file.open() as opened:
        assert opened.read() == b"its own"


@pytest.mark.parametrize("key", ["a?.csv", "a[1].csv", "a*.csv"])
def test_a_key_with_magic_characters_that_exists_is_that_key(key, store):
    place = location_of(f"s3://{BUCKET}/{key}")
    store.put("a1.csv", b"text\n")
    assert is_pattern(place)
    store.put(key, b"text\n")
    assert not is_pattern(place)


@pytest.mark.parametrize("kind", ["short", "cut"])
def test_a_body_that_is_cut_off_is_asked_for_again(kind, store):
    data = bytes(range(256)) * 100
    store.put("a.bin", data)
    file = new_input(location_of(f"s3://{BUCKET}/a.bin"))
    for first in (1, 2, 3):
        file.look()
        store.faults.begin(kind, first=first)
        with file.open() as opened:
            assert opened.read(10_000) + opened.read() == data
        store.faults.begin()


def test_a_body_that_is_always_cut_off_ends_with_try_again(store, monkeypatch):
    monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "0.3")
    store.put("a.bin", b"x" * 1000)
    file = new_input(location_of(f"s3://{BUCKET}/a.bin"))
    file.look()
    store.faults.begin("short", first=1, count=10**6)
    with pytest.raises(TryAgainError), file.open() as opened:
        opened.read()


def test_a_store_that_gives_less_than_a_range_is_asked_for_the_rest(store):
    data = bytes(range(256)) * 20
    store.put("a.bin", data)
    store.faults.begin("cap", first=1, count=10**6)
    with new_input(location_of(f"s3://{BUCKET}/a.bin")).open() as opened:
        assert opened.read() == data


def test_a_server_that_drips_is_given_up(store, monkeypatch):
    monkeypatch.setenv("TEXTBATCH_REQUEST_SECONDS", "0.5")
    monkeypatch.setenv("TEXTBATCH_RETRY_SECONDS", "0.1")
    store.put("a.bin", b"x" * 1000)
    file = new_input(location_of(f"s3://{BUCKET}/a.bin"))
    file.look()
    store.faults.begin("drip", first=1, count=10**6)
    with pytest.raises(TryAgainError, match="TimeoutError"), file.open() as opened:
        opened.read()
