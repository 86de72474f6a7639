from __future__ import annotations

import json
import random

import pytest
from support.records import part_record, success_record

from textbatch.data.output.records import PartRecord, Success, check_sums
from textbatch.errors import DataError


def altered(value: object) -> list[object]:
    """Values that stand where one stood, of the same type and of others."""
    others: list[object] = [None, True, -1, "", [], {}, "\x1b[2J", 1e300, "0" * 64]
    match value:
        case int():
            others += [value + 1, float(value), 2**60]
        case str():
            others += [f"{value}x", value[:-1], value.swapcase()]
        case dict():
            others += [value | {"ok": 9}, dict.fromkeys(value, -1), list(value)]
        case [*most, int(last)]:
            others += [[*value, 0], [*most, last + 1], value[1:]]
        case list():
            others += [[*value, 0], value[1:]]
    return [other for other in others if other != value or type(other) is not type(value)]


def test_a_line_comes_back_as_it_was_names_that_are_no_utf8_too():
    record = part_record("2024/ü\udcff.parquet")
    line = record.to_line()
    assert line.isascii()
    assert PartRecord.of_line(line) == record


def test_a_line_that_is_torn_is_none():
    line = part_record().to_line()
    assert all(PartRecord.of_line(line[:length]) is None for length in range(len(line)))


@pytest.mark.parametrize(
    "part", ["", "/etc/a.parquet", "../a.parquet", "a/../b.parquet", "a//b.parquet", "./a", "a\0b"]
)
def test_a_part_that_leads_out_of_its_folder_is_none(part):
    line = part_record().to_line().replace(b'"a.parquet"', json.dumps(part).encode())
    assert PartRecord.of_line(line) is None


FIELDS = json.loads(part_record().to_line())
#: Where any text may stand, or where more of them would be needed to be wrong.
FREE = {"part", "input", "state", "mean_confidence", "fingerprint", "spread"}


@pytest.mark.parametrize("name", sorted(FIELDS.keys() - FREE))
def test_a_line_with_one_field_altered_is_none_or_another_record(name):
    for value in altered(FIELDS[name]):
        found = PartRecord.of_line(json.dumps(FIELDS | {name: value}).encode() + b"\n")
        if found is not None:
            assert type(getattr(found, name)) is type(FIELDS[name])
            assert json.loads(found.to_line())[name] == value


@pytest.mark.parametrize(
    "change",
    [
        {"rows_in": 6},
        {"rows_out": 3},
        {"rows_quarantined": 0},
        {"statuses": {"ok": 2, "truncated": 1, "empty_text": 2}},
        {"statuses": {"ok": 3, "empty_text": 1, "strange": 0}},
        {"labels": {"billing": 2, "account": 0}},
        {"confidence_histogram": [1]},
        {"confidence_histogram": [1] * 20},
    ],
)
def test_counts_that_do_not_add_up_are_refused(change):
    with pytest.raises(ValueError, match=r"do not add up|does not fit"):
        part_record(**change)


def test_counts_on_the_way_need_not_add_up_and_finished_ones_do():
    check_sums(part_record())


def test_success_comes_back_with_a_seal():
    content = success_record().to_bytes()
    found = Success.of_bytes(content, "_SUCCESS")
    assert found.seal is not None
    assert Success.of_bytes(found.to_bytes(), "_SUCCESS") == found
    assert json.loads(content)["rows_out"] == 4


def test_every_flipped_bit_of_success_is_found():
    content = success_record().to_bytes()
    bits = random.Random(3)
    for _ in range(500):
        damaged = bytearray(content)
        bit = bits.randrange(8 * len(content))
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            found = Success.of_bytes(bytes(damaged), "_SUCCESS")
        except DataError:
            continue
        # The seal's own name was hit: `verify` asks for a seal.
        assert found.seal is None


@pytest.mark.parametrize("name", sorted(json.loads(success_record().to_bytes()).keys() - {"seal"}))
def test_a_field_of_success_altered_breaks_the_seal(name):
    fields = json.loads(success_record().to_bytes())
    for value in altered(fields[name]):
        changed = json.dumps(fields | {name: value}, indent=2).encode() + b"\n"
        with pytest.raises(DataError) as caught:
            Success.of_bytes(changed, "out/_SUCCESS")
        assert str(caught.value).isprintable()


def test_a_success_of_a_newer_textbatch_says_so():
    fields = json.loads(success_record().to_bytes())
    newer = json.dumps(fields | {"schema_version": 2, "parts": "many"}).encode()
    with pytest.raises(DataError, match="_SUCCESS was written by a newer textbatch; upgrade"):
        Success.of_bytes(newer, "_SUCCESS")


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{}", b"\xff\xfe", b'"schema_version"'])
def test_what_is_no_record_is_told(content):
    with pytest.raises(DataError, match="_SUCCESS is damaged, or textbatch did not write it"):
        Success.of_bytes(content, "_SUCCESS")
