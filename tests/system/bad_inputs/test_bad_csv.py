"""Cases 39 to 54: CSV input."""

from __future__ import annotations

import gzip
import json

import pytest

CANARY = "kanarienvogel"
HEAD = "id,text\n"

REFUSED = {
    "39 empty": (b"", r"is empty \(0 bytes\)"),
    "39 blank lines only": (b"\n\n", "no header line"),
    "42 UTF-16": (f"{HEAD}1,{CANARY}\n".encode("utf-16"), "not UTF-8: .*give --encoding utf-16"),
    "43 latin-1": (f"{HEAD}1,{CANARY}\n2,caf\xe9\n".encode("latin-1"), "not UTF-8 at line 3"),
    "44 short": (f"{HEAD}1,{CANARY}\n2\n".encode(), "1 cells in data row 2 and 2 in its header"),
    "44 long": (f"{HEAD}1,a,{CANARY}\n".encode(), "3 cells in data row 1 .*--quarantine"),
    "47 unclosed quote": (f'{HEAD}1,"{CANARY}\n2,b\n'.encode(), "quoting error or an endless"),
    "50 repeated name": (f"text,text\n{CANARY},b\n".encode(), "more than one column 'text'"),
    "54 wrong delimiter": (
        f"id;text\n1;{CANARY}\n".encode(), "where a semicolon does; give --delimiter ';'"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_are_refused(name, cli):
    content, message = REFUSED[name]
    source = cli.folder / "in.csv"
    source.write_bytes(content)
    cli.refuses(source, 65, message)


ACCEPTED = {
    "40 header only": (HEAD, []),
    "41 byte order mark": ("\ufeff" + HEAD + "1,refund\n", ["refund"]),
    "41 two marks": ("\ufeff\ufefftext,id\nrefund,1\n", ["refund"]),
    "45 line breaks in quotes": (f'{HEAD}1,"a\r\nb"\n2,"\n"\n', ["a\r\nb", "\n"]),
    "48 words for nothing": (
        HEAD + "".join(f"1,{t}\n" for t in ("NA", "null", "nan", "007", "1e5", "TRUE")),
        ["NA", "null", "nan", "007", "1e5", "TRUE"],
    ),
    "49 empty and quoted empty": (f'{HEAD}1,\n2,""\n', ["", ""]),
    "51 CR only": ("id,text\r1,refund\r2,card\r", ["refund", "card"]),
    "51 blank lines and spaces": (f"{HEAD}\n1, refund \n\n\n2,card\n", [" refund ", "card"]),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_files_that_are_fine(name, cli):
    content, texts = ACCEPTED[name]
    source = cli.folder / "in.csv"
    source.write_bytes(content.encode())
    assert cli.accepts(source)["text"].to_pylist() == texts


def test_42_43_an_encoding_may_be_named(cli):
    source = cli.folder / "in.csv"
    for encoding in ("utf-16", "latin-1", "cp1252"):
        source.write_bytes(f"{HEAD}1,café\n".encode(encoding))
        found = cli.accepts(source, "--encoding", encoding, "--overwrite")
        assert found["text"].to_pylist() == ["café"]
    lines = cli.folder / "in.jsonl"
    lines.write_bytes('{"text": "café"}\n{"text": "refund"}\n'.encode("utf-16"))
    found = cli.accepts(lines, "--encoding", "utf-16", "--overwrite")
    assert found["text"].to_pylist() == ["café", "refund"]
    cli.output.unlink()
    lines.write_bytes(f'{{"text": "{CANARY} \xff\xff\xff"}}\n'.encode("latin-1"))
    cli.refuses(lines, 65, "is not UTF-8 at line 1; check --encoding", "--encoding", "utf-8")


def test_43_44_bad_rows_go_to_the_quarantine_by_their_number(cli):
    source, aside = cli.folder / "in.csv", cli.folder / "aside.jsonl"
    rows = [f"{i},refund {i}" for i in range(1, 1001)]
    for row in (1, 7, 300, 301, 1000):
        rows[row - 1] = f"{CANARY},{CANARY},{CANARY}"
    rows[499] = rows[499] + " \udcff"
    rows[998] = rows[998] + " \udce9"
    source.write_bytes((HEAD + "\n".join(rows) + "\n").encode("utf-8", "surrogateescape"))
    flags = ("--quarantine", aside)
    cli.refuses(source, 67, "wrong number of cells, the first is row 1; --max-bad-rows", *flags)
    for chunk in (1, 13, 256, 5000):
        found = cli.accepts(
            source, *flags, "--max-bad-rows", 7, "--overwrite", "--chunk-rows", chunk
        )
        kept = [i for i in range(1, 1001) if i not in (1, 7, 300, 301, 500, 999, 1000)]
        assert found["id"].to_pylist() == [str(i) for i in kept]
        told = [json.loads(line) for line in aside.read_text().splitlines()]
        assert [(t["row"], t["reason"]) for t in told] == [
            (1, "wrong_cell_count"), (7, "wrong_cell_count"), (300, "wrong_cell_count"),
            (301, "wrong_cell_count"), (500, "bad_utf8"), (999, "bad_utf8"),
            (1000, "wrong_cell_count"),
        ]  # fmt: skip
        assert CANARY not in aside.read_text()
    assert cli("verify", cli.output) == 0
    cli.accepts(source, *flags, "--max-bad-rows", 7, "--overwrite", "--quarantine-text")
    assert aside.read_text().count(CANARY) == 15


def test_48_texts_that_stand_for_nothing_may_be_named(cli):
    source = cli.folder / "in.csv"
    source.write_text(f"{HEAD}1,NA\n2,refund\n3,-\n4,na\n")
    found = cli.accepts(source, "--null-text", "NA", "--null-text", "-")
    assert found["status"].to_pylist() == ["null_text", "ok", "null_text", "no_known_tokens"]
    assert found["text"].to_pylist() == ["NA", "refund", "-", "na"]


def test_52_a_truncated_archive(cli):
    source = cli.folder / "in.csv.gz"
    source.write_bytes(gzip.compress((HEAD + f"1,{CANARY}\n" * 5000).encode())[:-20])
    cli.refuses(source, 65, "truncated or damaged inside its compression")


def test_53_an_archive_that_unpacks_to_one_endless_cell(cli):
    source = cli.folder / "in.csv.gz"
    source.write_bytes(gzip.compress(HEAD.encode() + b'1,"' + b"a" * (70 << 20)))
    assert source.stat().st_size < 1 << 20
    cli.refuses(source, 65, "a line of 67,108,864 or more characters, line 2")
