from __future__ import annotations

import pyarrow as pa
import pytest

from textbatch.data.readers.column_names import (
    listed,
    looks_like_data,
    repeated,
    shown,
    shown_type,
)


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "text",
        "Message Body",
        "created_at",
        "col 7",
        "Q1 2024",
        "größe",
        "a.b.c",
        "x-y",
        "",
        "2nd",
        "1e",
        "客户姓名",
        "a0d7-b",
    ],
)
def test_names_are_names(name):
    assert not looks_like_data(name)
    assert listed([name, "id"]) == f"'{name}', 'id'"


@pytest.mark.parametrize(
    "cell",
    [
        "1",
        "-3.5",
        "12,50 €",
        "2026-10-01",
        "2026-10-01T12:00:00Z",
        "jane@example.org",
        "https://example.org/jane",
        "4111 1111 1111 1111",
        "1.5e-3",
        "0d7d4318-3a01-4ddf-830e-452d2a50b55b",
        "我的卡丢了，请帮忙",
        "カードをなくしました。",
        "IBAN 12345678",
        "Refund!",
        "Hello, Jane",
        "a\tb",
        "x\ny",
        "My name is Jane Doe and my card",
        "x" * 41,
        "x" * 200_000,
    ],
)
def test_one_cell_among_the_names_makes_all_of_them_doubtful(cell):
    assert listed(["Jane", cell, "card"]) == "3 whose names look like data"


def test_a_name_of_some_words_is_counted_alone():
    told = listed(["id", "refund my card", "cannot log in"])
    assert told == "'id', 2 whose names look like data"
    assert listed(["refund my card"]) == "1 whose name looks like data"


def test_long_lists_and_long_names_are_cut():
    assert listed([f"c{i}" for i in range(150_000)]).endswith("'c19', 149,980 more")
    assert shown("x" * 50) == f"'{'x' * 39}…'"
    assert shown("a\x1b[2Jb") == "'a\\x1b[2Jb'"


def test_the_first_repeated_name_is_found():
    assert repeated(["a", "b", "c", "b", "a"]) == "b"
    assert repeated(["a", "A", ""]) is None


def test_a_nested_type_is_shown_without_its_fields():
    assert shown_type(pa.struct([("Jane Doe", pa.string())])) == "struct"
    assert shown_type(pa.list_(pa.struct([("Jane Doe", pa.string())]))) == "list"
    assert shown_type(pa.map_(pa.string(), pa.string())) == "map"
    assert shown_type(pa.dictionary(pa.int32(), pa.struct([("x", pa.int8())]))) == (
        "dictionary of struct"
    )
    assert shown_type(pa.decimal128(9, 2)) == "decimal128(9, 2)"
