"""What quotes mean: no row is swallowed, and no cell of several lines is taken for rows."""

from __future__ import annotations

import csv
import gzip
import io
import random
from pathlib import Path

import pytest

from textbatch.data.readers import text_lines
from textbatch.data.readers.delimiters import delimiter_of
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.readers.source import open_input
from textbatch.data.storage.file_io import new_input
from textbatch.errors import ConflictError, DataError, UsageError


def rows_of(path: Path, **options) -> list[list[str]]:
    source = open_input(new_input(path), ReadOptions(**options))
    batches = list(source.batches(source.schema.names, 1000))
    return [list(row.values()) for batch in batches for row in batch.to_pylist()]


def write(path: Path, content: str) -> Path:
    path.write_bytes(content.encode())
    return path


TSV = {
    "no quotes": ("1\ta\n2\tb\n", [["1", "a"], ["2", "b"]]),
    "quoted cells": ('"1"\t"a"\n2\t"b""c"\n', [["1", "a"], ["2", 'b"c']]),
    "a tab in quotes": ('1\t"a\tb"\n', [["1", "a\tb"]]),
    "line breaks in quotes": ('1\t"a\nb\r\n"\n2\tc\n', [["1", "a\nb\r\n"], ["2", "c"]]),
    "in the first column": ('"a\nb"\t1\nc\t2\n', [["a\nb", "1"], ["c", "2"]]),
    "doubled over lines": ('1\t"a ""\n"" b"\n', [["1", 'a "\n" b']]),
    "a quote without a partner": ('1\t"a\n2\tb\n', [["1", '"a'], ["2", "b"]]),
    "in the last line": ('1\ta\n2\t"b', [["1", "a"], ["2", '"b']]),
    "a quoted word at the start": ('1\t"a" b\n2\tc\n', [["1", '"a" b'], ["2", "c"]]),
    "a quoted word at the end": ('1\ta "b"\n2\tc\n', [["1", 'a "b"'], ["2", "c"]]),
    "quotes inside": ('1\t5" pipe\n2\t6" pipe\n', [["1", '5" pipe'], ["2", '6" pipe']]),
    "a lone quote": ('1\t"\n2\tb\n', [["1", '"'], ["2", "b"]]),
    "empty cells": ('\t""\n1\t\n', [["", ""], ["1", ""]]),
    "carriage returns": ('1\t"a\r2\tb\r', [["1", '"a'], ["2", "b"]]),
    "many without a partner": ('1\t"a\n' * 50, [["1", '"a']] * 50),
}


@pytest.mark.parametrize("name", TSV)
def test_quotes_in_tsv(name, tmp_path):
    content, rows = TSV[name]
    assert rows_of(write(tmp_path / "in.tsv", f"id\ttext\n{content}")) == rows
    same = write(tmp_path / "in.csv", f"id\ttext\n{content}")
    assert rows_of(same, delimiter="\t") == rows


SWALLOWED_TSV = {
    "two columns": 'id\ttext\n1\t"I want a refund\n2\tcannot log in\n3\tclose it"\n4\tx\n',
    "the text first": 'text\tid\n"I want a refund\t1\ncannot log in"\t2\nx\t3\n',
    "the text between": 'id\ttext\tlabel\n1\t"I want\tb\n2\tcannot\tb\n3\tgo"\tc\n',
    "one column": 'text\n"I want a refund\ncannot log in\nclose my account"\n',
    "carriage returns": 'id\ttext\r1\t"I want a refund\r2\tcannot log in"\r',
}


@pytest.mark.parametrize("name", SWALLOWED_TSV)
def test_a_cell_of_tsv_that_holds_rows_is_an_error(name, tmp_path):
    path = write(tmp_path / "in.tsv", SWALLOWED_TSV[name])
    with pytest.raises(DataError, match=r"from line 2 on, .* look like rows.*--quoting none"):
        rows_of(path)
    lines = len(SWALLOWED_TSV[name].splitlines()) - 1
    assert len(rows_of(path, quoting="none")) == lines


SWALLOWED_CSV = {
    "numbers": 'id,text\n1,"I want a refund\n2,cannot log in\n3,close it"\n4,refund my card\n',
    "the text first": 'text,id\n"I want,1\ncannot log in,2\nclose it",3\nrefund,4\n',
    "dates": 'at,text\n2026-01-01,"I want\n2026-01-02,cannot"\n2026-01-03,refund\n',
    "labels": 'text,label\n"I want,billing\ncannot",billing\na,account\nb,billing\nc,account\n',
    "many columns": 'id,text,label\n1,a,x\n2,"b,x\n3,c,y\n4,d",x\n5,e,y\n',
    "spaces in all rows": 'id, text\n1, a\n2, b\n3," c\n4, d\n5, e"\n',
    "semicolons": 'id;text\n1;"I want a refund\n2;cannot log in"\n3;refund\n',
}


@pytest.mark.parametrize("name", SWALLOWED_CSV)
def test_a_cell_of_csv_that_holds_rows_is_an_error(name, tmp_path):
    path = write(tmp_path / "in.csv", SWALLOWED_CSV[name])
    delimiter = ";" if name == "semicolons" else None
    with pytest.raises(DataError, match=r"quoted cell of \d lines that look like rows"):
        rows_of(path, delimiter=delimiter)
    lines = len(SWALLOWED_CSV[name].splitlines()) - 1
    assert len(rows_of(path, delimiter=delimiter, quoting="none")) == lines


LETTERS = {
    "a greeting": 'id,text\n1,"Hello Bob,\nI want my money, please"\n2,b\n',
    "two lines": 'id,text\n1,"Hello\nyes, please"\n2,b\n',
    "a numbered list": 'id,text\n1,"Two things:\n1, my card\n2, my pin"\n2,b\n',
    "an address": 'text,label\n"Jane Doe\nMain Street 7\n12345, Town",billing\nb,account\n',
    "text first": 'text,label\n"a\nb",x\n"c\nd",y\n"e\nf",x\n',
    "one column": 'text\n"a\nb"\n"c\nd"\n',
    "blank lines in it": 'id,text\n1,"a\n\n\nb"\n2,c\n',
    "commas without spaces": 'id,text\n1,"red,green\nblue,grey"\n2,b\n',
}


@pytest.mark.parametrize("name", LETTERS)
def test_letters_of_several_lines_are_no_rows(name, tmp_path):
    content = LETTERS[name]
    expected = list(csv.reader(io.StringIO(content, newline="")))[1:]
    assert rows_of(write(tmp_path / "in.csv", content)) == expected


def test_a_swallowed_row_far_down_is_told_by_its_line(tmp_path):
    rows = [f"{i},text {i}\n" for i in range(5000)]
    rows[3000] = '3000,"text\n'
    rows[3002] = '3002,text"\n'
    path = write(tmp_path / "in.csv", "id,text\n" + "".join(rows))
    with pytest.raises(DataError, match="from line 3002 on, a quoted cell of 3 lines"):
        rows_of(path)


@pytest.mark.parametrize("seed", range(20))
def test_what_spreadsheets_and_pandas_write_as_tsv_is_read_back(seed, tmp_path):
    random.seed(seed)
    words = ['a "b" c', "two\nlines", "a\r\nb", '"', "", "plain", "tab\tin it", 'end"', '"start']
    rows = [[str(i), random.choice(words), "x"] for i in range(200)]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter="\t", lineterminator="\n").writerows([["id", "text", "l"], *rows])
    assert rows_of(write(tmp_path / "in.tsv", text.getvalue())) == rows


def test_without_quoting_every_quote_is_a_character(tmp_path):
    path = write(tmp_path / "in.csv", 'id,text\n1,"a\n2,b"c"\n3,""\n')
    assert rows_of(path, quoting="none") == [["1", '"a'], ["2", 'b"c"'], ["3", '""']]


@pytest.mark.parametrize(
    ("content", "flag"),
    [
        ("id;text\n1;refund, please\n", "';'"),
        ("id;text\n", "';'"),
        ("id;text;label\n1;a;b\n2;c;d\n", "';'"),
        ("id|text\n1|a\n", "'|'"),
        ("id\ttext\n1\ta\n", r"'\\t'"),
        ('"id";"text"\n"1";"a;b"\n', "';'"),
    ],
)
def test_another_delimiter_is_recognized_and_named(content, flag, tmp_path):
    path = write(tmp_path / "in.csv", content)
    with pytest.raises(
        DataError, match=rf"has (one column|a semicolon) .*; give --delimiter {flag}"
    ):
        rows_of(path)
    delimiter = delimiter_of(flag.strip("'").replace("\\\\", "\\"))
    assert len(rows_of(path, delimiter=delimiter)) == content.count("\n") - 1


def test_a_tsv_of_commas_is_recognized_too(tmp_path):
    with pytest.raises(DataError, match="give --delimiter ','"):
        rows_of(write(tmp_path / "in.tsv", "id,text\n1,a\n"))


@pytest.mark.parametrize(
    "content", ["text\na;b\nc\n", "text\na,b\n".replace(",", " "), "text;old\nno such sign\n"]
)
def test_a_single_column_is_no_other_delimiter(content, tmp_path):
    assert len(rows_of(write(tmp_path / "in.csv", content))) == content.count("\n") - 1


def test_the_delimiter_that_is_given_is_not_doubted(tmp_path):
    path = write(tmp_path / "in.csv", "id;text\n1;a\n")
    assert rows_of(path, delimiter=",") == [["1;a"]]


@pytest.mark.parametrize("given", ["", ",,", '"', "\n", "\r", "\\x", "\ud800"])
def test_what_cannot_divide_is_refused(given):
    with pytest.raises(UsageError, match=r"give one character, or '\\t' for a tab"):
        delimiter_of(given)


@pytest.mark.parametrize("option", [{"delimiter": ";"}, {"quoting": "none"}])
def test_options_of_csv_are_refused_elsewhere(option, tmp_path):
    path = write(tmp_path / "in.jsonl", '{"text": "a"}\n')
    with pytest.raises(ConflictError, match=r"--(delimiter|quoting) is for CSV, and .* JSON Lines"):
        rows_of(path, **option)


ADVICE = {
    "escaped by a backslash": ('1,"a \\"b\\" c"\n', "a backslash stands before a quote, .*escape"),
    "escaped, and ragged": ('1,"a \\", b"\n', "ends with a backslash, as where quotes are escaped"),
    "trailing cells": (
        "1,a,,,\n",
        "5 cells .* 2 in its header: those beyond are empty, as",
    ),
    "one more": ("1,a,b\n", "3 cells in data row 1 and 2 in its header; quote cells"),
}


@pytest.mark.parametrize("name", ADVICE)
def test_what_is_wrong_with_a_row_is_told(name, tmp_path):
    content, message = ADVICE[name]
    with pytest.raises(DataError, match=message):
        rows_of(write(tmp_path / "in.csv", f"id,text\n{content}"))


@pytest.mark.parametrize("first", ['{"text": "a", "id": 1}', '[{"text": "a"},', '{"text":"a"}'])
def test_json_by_the_name_of_csv_is_told(first, tmp_path):
    with pytest.raises(DataError, match=r"is JSON by its look, not CSV; give --format jsonl"):
        rows_of(write(tmp_path / "in.csv", f"{first}\n{first}\n"))


def test_columns_that_a_spreadsheet_left_behind_are_told(tmp_path):
    path = write(tmp_path / "in.csv", "id,text,,,\n1,a,,,\n")
    with pytest.raises(DataError, match="3 columns without a name, the first is column 3; name"):
        rows_of(path)


@pytest.mark.parametrize("name", ["in.csv", "in.tsv", "in.csv.gz"])
@pytest.mark.parametrize("before", ["", "id,text\n1,"])
def test_a_line_without_end_is_refused_before_it_fills_memory(before, name, tmp_path, monkeypatch):
    monkeypatch.setattr(text_lines, "MAX_LINE_CHARACTERS", 100_000)
    content = (before + "x" * 200_000).encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    line = 2 if before else 1
    with pytest.raises(DataError, match=f"a line of 100,000 or more characters, line {line}"):
        rows_of(path)


def test_a_wide_file_is_read_in_small_steps(tmp_path):
    path = write(tmp_path / "in.csv", ",".join(f"c{i}" for i in range(30_000)) + "\n")
    with path.open("a") as file:
        file.writelines("," * 29_999 + "\n" for _ in range(100))
    source = open_input(new_input(path), ReadOptions())
    batches = list(source.batches(["c0", "c29999"], 1000))
    assert sum(map(len, batches)) == 100
    assert max(map(len, batches)) == (1 << 20) // 30_000
