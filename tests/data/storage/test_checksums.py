"""The sum of what is read in order is compared with what the store tells."""

from __future__ import annotations

import base64
import hashlib
import sys
import zlib
from types import ModuleType

import pytest

from textbatch.data.storage import remote
from textbatch.data.storage.checksums import Checksum, InOrder
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.location import location_of
from textbatch.data.storage.s3_checksums import s3_checksum
from textbatch.errors import TryAgainError

PLACE = location_of("s3://bucket/a.csv")
DATA = bytes(range(256)) * 40


def in_order(told: bytes = DATA, asked: list[int] | None = None) -> InOrder:
    def ask() -> Checksum:
        if asked is not None:
            asked.append(1)
        return Checksum(hashlib.sha256, hashlib.sha256(told).digest())

    return InOrder(PLACE, len(DATA), ask)


def add(summing: InOrder, *places: tuple[int, int]) -> None:
    for start, end in places:
        summing.add(start, DATA[start:end])


def test_pieces_in_order_are_compared_at_their_end():
    asked: list[int] = []
    add(in_order(asked=asked), (0, 100), (100, 5000), (5000, len(DATA)))
    assert asked == [1]
    other = in_order(told=DATA[::-1])
    add(other, (0, 100), (100, 5000))
    with pytest.raises(TryAgainError, match="not what the store holds"):
        add(other, (5000, len(DATA)))


def test_a_second_reading_from_the_beginning_counts_anew():
    asked: list[int] = []
    summing = in_order(told=DATA[::-1], asked=asked)
    # Here and there: nothing to compare.
    add(summing, (0, 100), (200, 300), (300, len(DATA)), (5, 7))
    add(summing, (0, 5000))
    with pytest.raises(TryAgainError):
        add(summing, (5000, len(DATA)))
    assert asked == [1]


def test_what_comes_in_one_piece_or_from_the_middle_asks_nothing():
    asked: list[int] = []
    summing = in_order(told=b"", asked=asked)
    add(summing, (0, len(DATA)), (100, 200), (200, len(DATA)))
    assert asked == []


def test_a_store_that_tells_none_is_believed():
    summing = InOrder(PLACE, len(DATA), lambda: None)
    add(summing, (0, 100), (100, len(DATA)))


def told(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


CRC = told(zlib.crc32(DATA).to_bytes(4, "big"))


@pytest.mark.parametrize(
    ("answer", "is_known"),
    [
        ({"ChecksumCRC32": CRC}, True),
        ({"ChecksumSHA256": told(hashlib.sha256(DATA).digest())}, True),
        ({"ChecksumSHA1": told(hashlib.sha1(DATA).digest()), "ChecksumCRC32": ""}, True),
        ({"ChecksumCRC32": CRC + "-2"}, False),
        ({"ChecksumMD6": CRC}, False),
        ({}, False),
    ],
)
def test_the_checksums_of_s3_that_can_be_compared(answer, is_known):
    found = s3_checksum(answer)
    assert (found is not None) == is_known
    if found:
        assert found.is_of(DATA)
        assert not found.is_of(DATA[::-1])


def test_those_of_amazons_own_library_where_it_is_installed(monkeypatch):
    library = ModuleType("awscrt")
    library.checksums = ModuleType("awscrt.checksums")
    library.checksums.crc64nvme = lambda data, before: before + sum(data)
    library.checksums.crc32c = lambda data, before: 1
    monkeypatch.setitem(sys.modules, "awscrt", library)
    found = s3_checksum({"ChecksumCRC64NVME": told(sum(DATA).to_bytes(8, "big"))})
    assert found
    assert found.is_of(DATA)


@pytest.mark.parametrize("block", [1000, 4096])
def test_an_object_of_s3_that_is_read_in_pieces_is_compared(block, store, monkeypatch):
    monkeypatch.setattr(remote, "_BLOCK_BYTES", block)
    store.put("a.csv", DATA)
    with new_input(PLACE).open() as file:
        assert file.read() == DATA
    store.faults.begin("flip", first=4)
    with new_input(PLACE).open() as file, pytest.raises(TryAgainError):
        list(iter(lambda: file.read(block), b""))
