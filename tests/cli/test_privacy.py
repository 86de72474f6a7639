from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.cli import app
from textbatch.cli.command import Given

CANARY = "kanarienvogel"
GOOD_CSV = f"id,text,label\n{CANARY},refund {CANARY},{CANARY}\n"
DEEP = "[" * 500 + f'"{CANARY}"' + "]" * 500

FILES = {
    "short.csv": GOOD_CSV + f"{CANARY},{CANARY}\n",
    "long.csv": GOOD_CSV + f"{CANARY},{CANARY},{CANARY},{CANARY}\n",
    "unclosed.csv": GOOD_CSV + f'{CANARY},"{CANARY},{CANARY}\n' * 3,
    "quote.csv": GOOD_CSV + f'{CANARY},"{CANARY}"{CANARY},{CANARY}\n',
    "latin.csv": GOOD_CSV.encode() + f"{CANARY},{CANARY} caf\xe9,{CANARY}\n".encode("latin-1"),
    "utf16.csv": GOOD_CSV.encode("utf-16"),
    "cut.jsonl": f'{{"text": "{CANARY}"}}\n{{"text": "{CANARY}',
    "garbage.jsonl": f'{{"text": "{CANARY}"}} {CANARY}\n',
    "bare.jsonl": f'{{"text": {CANARY}}}\n',
    "mixed.jsonl": f'{{"text": "{CANARY}"}}\n{{"text": 7}}\n',
    "mixed_other.jsonl": f'{{"text": "x", "id": 1}}\n{{"text": "x", "id": "{CANARY}"}}\n',
    "repeated.jsonl": f'{{"text": "{CANARY}", "text": "{CANARY}"}}\n',
    "surrogate.jsonl": f'{{"text": "{CANARY} \\ud800"}}\n',
    "bytes.jsonl": f'{{"text": "{CANARY} '.encode() + b'\xff"}\n',
    "deep.jsonl": f'{{"text": "{CANARY}", "deep": {DEEP}}}\n',
    "number.jsonl": f'{{"text": 1, "id": "{CANARY}"}}\n',
    "csv.parquet": GOOD_CSV,
    "headless.csv": f"1,{CANARY},My name is {CANARY}\n2,{CANARY},cannot log in\n",
    "headless_text.csv": f"I lost {CANARY} today\ncannot log in\n",
    "headless_twice.csv": f"my card {CANARY},my card {CANARY},1\na,b,2\n",
    "headless_number_twice.csv": f"7,{CANARY},{CANARY}\na,b,2\n",
    "headless_cell_twice.csv": f"{CANARY},{CANARY},x\na,b,x\n",
    "headless_float.csv": f"1.5e3,{CANARY}\n2,b\n",
    "headless_uuid.csv": f"0d7d4318-3a01-4ddf-830e-452d2a50b55b,{CANARY}\n",
    "headless_wide_signs.csv": f"{CANARY}，我的卡丢了,x\n2,b\n",
    "plain_pdf.csv": f"%PDF-1.7 {CANARY}",
    "headless_huge.csv": f"{CANARY * 20_000},b\n1,2\n",
    "headless.tsv": f"1\t{CANARY}\n2\tb\n",
    "semicolons.csv": f"id;text;{CANARY}\n1;{CANARY};{CANARY}\n",
    "tabs.csv": f"1\t{CANARY} and more\n2\t{CANARY}\n",
    "swallowed.tsv": f'id\ttext\n1\t"{CANARY}\n2\t{CANARY}"\n',
    "swallowed.csv": f'id,text\n1,"{CANARY}\n2,{CANARY}"\n3,{CANARY}\n',
    "backslash.csv": f'id,text\n1,"{CANARY} \\"{CANARY}\\" {CANARY}"\n',
    "trailing.csv": f"id,text,,\n{CANARY},{CANARY},,\n",
    "spreadsheet.csv": b"PK\x03\x04" + CANARY.encode() + b" xl/workbook.xml",
    "page.csv": f"<html>{CANARY}</html>",
    "plain.csv.gz": GOOD_CSV,
    "unmarked.csv": GOOD_CSV.encode("utf-16-le"),
    "endless.csv": f"id,text\n1,{CANARY}".encode() + bytes(65 << 20),
    "endless.jsonl": f'{{"text": "{CANARY}'.encode() + b"x" * (65 << 20),
    "array.jsonl": f'[{{"text": "{CANARY}"}},\n{{"text": "{CANARY}"}}]\n',
    "two.jsonl": f'{{"text": "{CANARY}"}}{{"text": "{CANARY}"}}\n',
    "big.jsonl": f'{{"text": "{CANARY}", "id": 1e400}}\n',
    "rounded.jsonl": f'{{"text": "{CANARY}", "id": 12345678901234567891}}\n',
    "bad_key.jsonl": f'{{"text": "{CANARY}", "{CANARY}'.encode() + b'\xff": 1}\n',
    "json.csv": f'{{"text": "{CANARY}"}}\n',
    "markup.csv": f"<b>{CANARY}</b>,{CANARY}\n",
    "deep_list.jsonl": f'{{"text": "{CANARY}", "d": {"[" * 60}"{CANARY}"{"]" * 60}}}\n',
    "follows.jsonl": f'{{"text": "{CANARY}"}} // {CANARY}\n',
    "empty.jsonl": f'{{"text": "{CANARY}", "meta": {{}}}}\n',
    "keys.jsonl": f'{{"text": {{"{CANARY}": 1}}}}\n',
}


#: All that a command writes besides its output.
WRITTEN = {
    "score": {"report": "told.json", "metrics-file": "told.prom", "html": "told.html"},
    "train": {"report": "told.json"},
    "evaluate": {"report": "told.json"},
}


def write(folder: Path, name: str) -> Path:
    content = FILES[name]
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.fixture
def run(monkeypatch, capfd):
    """Run the command line here; its exit code, after a look for the canary in all it told."""

    def run(*arguments: str | Path) -> int:
        folder = Path(arguments[1]).parent
        names = WRITTEN[str(arguments[0])]
        flags = [word for flag, name in names.items() for word in (f"--{flag}", str(folder / name))]
        monkeypatch.setattr("sys.argv", ["textbatch", *map(str, arguments), *flags])
        monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "file")
        monkeypatch.setenv("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", str(folder / "told.events"))
        monkeypatch.setattr("signal.signal", lambda *_: None)
        with pytest.raises(SystemExit) as ended:
            app.main()
        told = capfd.readouterr()
        assert told.err if ended.value.code else told.out
        written = "".join(place.read_text() for place in folder.glob("told.*"))
        assert written
        assert CANARY not in (told.out + told.err + written).lower()
        return ended.value.code

    return run


@pytest.mark.parametrize("name", FILES)
def test_no_cell_is_quoted_when_scoring_fails(name, tmp_path, model, run, monkeypatch):
    # The traceback is shown too, which tells what an error was made of.
    monkeypatch.setenv("TEXTBATCH_DEBUG", "1")
    source = write(tmp_path, name)
    assert run("score", source, tmp_path / "out.parquet", "--model", model) in (65, 67)


@pytest.mark.parametrize("name", ["short.csv", "latin.csv", "mixed_other.jsonl", "bytes.jsonl"])
@pytest.mark.parametrize("command", ["evaluate", "train"])
def test_no_cell_is_quoted_when_labelled_files_are_bad(command, name, tmp_path, model, run):
    place = model if command == "evaluate" else tmp_path / "new"
    source = write(tmp_path, name)
    assert run(command, source, "--model", place, "--label-column", "id") == 65


def test_no_cell_is_quoted_when_labels_are_missing(tmp_path, model, run):
    source = tmp_path / "in.csv"
    source.write_text(f"text,label\n{CANARY},{CANARY}\n{CANARY},\n")
    assert run("evaluate", source, "--model", model) == 65


@pytest.mark.parametrize(("damaged", "code"), [(False, 67), (True, 65)])
def test_no_cell_is_quoted_when_rows_or_pages_are_damaged(damaged, code, tmp_path, model, run):
    source = tmp_path / "in.parquet"
    texts = [CANARY.encode(), CANARY.encode() + b"\xff"] * 500
    table = pa.table({"text": texts, "id": [f"{CANARY} {i}" for i in range(1000)]})
    pq.write_table(table, source, write_page_checksum=True, compression="none")
    if damaged:
        content = source.read_bytes()
        assert f"{CANARY} 500".encode() in content
        source.write_bytes(content.replace(f"{CANARY} 500".encode(), b"x" * 17))
    assert run("score", source, tmp_path / "out.parquet", "--model", model) == code


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_no_cell_is_quoted_when_all_is_well(flags, tmp_path, model, run):
    source = tmp_path / "in.csv"
    source.write_text(GOOD_CSV)
    assert run("score", source, tmp_path / "out.parquet", "--model", model, *flags) == 0


def test_the_words_of_an_unforeseen_error_are_not_printed(tmp_path, model, monkeypatch, run):
    def fail(*_):
        raise ValueError(f"cannot parse {CANARY}")

    monkeypatch.setattr(Given, "made", fail)
    assert run("score", tmp_path / "in.csv", tmp_path / "out.parquet", "--model", model) == 1
