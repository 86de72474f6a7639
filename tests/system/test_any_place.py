"""Every command that reads rows reads them from every kind of place, with equal results."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.bundles import LABELS, random_texts
from support.training import SPACE, labelled_table

from textbatch.data.readers import stdin
from textbatch.training.recipes import search_space

pytestmark = pytest.mark.usefixtures("quick_recipe")

#: Reads all rows of a table, as each place holds them; in the order of the rows.
PLACES = {
    "a file": "whole.csv",
    "a compressed file": "whole.jsonl.gz",
    "several files": "in/a.csv in/deep/b.parquet",
    "a folder": "in",
    "a pattern": "in/**/*",
    "standard input": "- --format csv",
    "an object": "s3://bucket/whole.csv",
    "a folder of objects": "s3://bucket/in",
    "a pattern of objects": "s3://bucket/in/**",
    "the store and this machine": "s3://bucket/in/a.csv in/deep/b.parquet",
    "another format": "whole.dat --format csv --encoding latin-1 --delimiter ;",
}
FEW = ("a file", "a folder", "standard input", "a pattern of objects", "another format")


def csv_of(table: pa.Table, delimiter: str = ",") -> str:
    rows = [table.column_names, *zip(*(column.to_pylist() for column in table), strict=True)]
    return "".join(delimiter.join(f'"{cell}"' for cell in row) + "\n" for row in rows)


def put(folder: Path, table: pa.Table, store) -> None:
    """Put a table into a folder and into the store, in every way."""
    half = table.num_rows // 2
    (folder / "in" / "deep").mkdir(parents=True)
    (folder / "whole.csv").write_text(csv_of(table))
    (folder / "whole.dat").write_bytes(csv_of(table, ";").encode("latin-1"))
    lines = "".join(json.dumps(row) + "\n" for row in table.to_pylist())
    (folder / "whole.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (folder / "in" / "a.csv").write_text(csv_of(table.slice(0, half)))
    pq.write_table(table.slice(half), folder / "in" / "deep" / "b.parquet")
    (folder / "in" / "_note.txt").write_text("not read")
    store.put("whole.csv", (folder / "whole.csv").read_bytes())
    store.put_folder(folder / "in", "in")


@pytest.fixture
def rows(tmp_path, store, monkeypatch):
    """Labelled rows of the quick recipe."""
    table = labelled_table(240, seed=0)
    put(tmp_path, table, store)
    monkeypatch.chdir(tmp_path)
    return table


@pytest.fixture
def run(in_process, monkeypatch, tmp_path):
    """Run a command on a place, its options behind it; what it said to stdout, as JSON."""

    def call(command: str, place: str, *arguments: object):
        data = (tmp_path / "whole.csv").read_bytes()
        monkeypatch.setattr(stdin.sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
        done = in_process(command, *PLACES[place].split(), *arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


@pytest.fixture(scope="module")
def known() -> dict[str, object]:
    """What a command makes of a file, for the other places of a test."""
    return {}


COLUMNS = ("--text-column", "body", "--label-column", "queue")
OTHERS = [place for place in PLACES if place != "a file"]


@pytest.mark.parametrize("place", FEW[1:])
def test_train(place, rows, run, known, tmp_path):
    def fingerprint(place: str) -> str:
        model = tmp_path / f"model from {place}"
        return run("train", place, *COLUMNS, "--quick", "--model", model)["fingerprint"]

    if "train" not in known:
        known["train"] = fingerprint("a file")
    assert fingerprint(place) == known["train"]


def test_train_with_files_beside_its_rows(rows, run, tmp_path):
    first = ("--validation", "whole.csv", "--test", "whole.csv", "--unlabelled", "whole.csv")
    other = (
        *("--validation", "s3://bucket/whole.csv", "--test", "in/**/*.parquet"),
        *("--unlabelled", "s3://bucket/in/*"),
    )
    records = [
        run("train", "a file", *COLUMNS, *flags, "--model", tmp_path / name)
        for name, flags in (("first", first), ("other", other))
    ]
    assert [record["rows"]["validation"] for record in records] == [240, 240]
    assert [record["rows"]["test"] for record in records] == [240, 120]
    # The same texts, so the same words and vectors; the test rows decide nothing.
    assert records[0]["vectors"] == records[1]["vectors"]


@pytest.mark.parametrize("flag", ["--validation", "--unlabelled"])
def test_train_reads_one_of_its_files_from_standard_input(flag, rows, run, in_process, tmp_path):
    expected = run(
        "train", "a file", *COLUMNS, "--quick", flag, "whole.csv", "--model", tmp_path / "expected"
    )
    record = run(
        *("train", "a file", *COLUMNS, "--quick", flag, "-", "--format", "csv"),
        *("--model", tmp_path / "model"),
    )
    assert record["fingerprint"] == expected["fingerprint"]
    done = in_process("train", "-", *COLUMNS, flag, "-", "--format", "csv")
    assert done.returncode == 64
    assert "standard input is named twice" in done.stderr


# The rows are read as `train` reads them.
@pytest.mark.parametrize("place", ["standard input", "a pattern of objects"])
def test_tune(place, rows, run, known, tmp_path, monkeypatch):
    monkeypatch.setattr(search_space, "SPACE", SPACE)
    monkeypatch.setattr(search_space, "WIDTHS", (8, 12))

    def best(place: str) -> dict[str, object]:
        study = tmp_path / f"study of {place}"
        record = run("tune", place, *COLUMNS, "--trials", 1, "--study", study)
        (trial,) = record["trials"]
        return {name: value for name, value in trial.items() if name != "seconds"}

    if "tune" not in known:
        known["tune"] = best("a file")
    assert best(place) == known["tune"]


@pytest.fixture
def answered(tmp_path, store, monkeypatch):
    """Labelled rows that the random bundle can answer."""
    texts = [text or "refund" for text in random_texts(200, seed=3)]
    texts = [text.replace('"', "") for text in texts if text.isascii() and text.isprintable()]
    labels = [LABELS[number % len(LABELS)] for number in range(len(texts))]
    table = pa.table({"text": texts, "label": labels})
    put(tmp_path, table, store)
    monkeypatch.chdir(tmp_path)
    return table


@pytest.mark.parametrize("place", OTHERS)
def test_evaluate(place, answered, model, run, known):
    def figures(place: str) -> dict[str, object]:
        record = run("evaluate", place, "--model", model)
        assert record.pop("input") == PLACES[place].split(" --")[0].split()
        return record

    if "evaluate" not in known:
        known["evaluate"] = figures("a file")
    assert figures(place) == known["evaluate"]
    assert known["evaluate"]["rows"] == answered.num_rows


@pytest.mark.parametrize("place", OTHERS)
def test_audit(place, answered, model, run, known, tmp_path):
    def errors(place: str) -> pa.Table:
        output = tmp_path / f"{place}.parquet"
        run("audit", place, "--model", model, "--output", output, "--texts")
        return pq.read_table(output)

    if "audit" not in known:
        known["audit"] = errors("a file")
    assert errors(place).equals(known["audit"])


def test_audit_asks_a_model_of_a_store(answered, model, store, in_process):
    store.put_folder(model, "model")
    for name, place in (("a.csv", str(model)), ("b.csv", "s3://bucket/model")):
        done = in_process("audit", "whole.csv", "--model", place, "--output", name)
        assert done.returncode == 0, done.stderr
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()


@pytest.mark.parametrize("place", OTHERS)
def test_vectors(place, rows, run, known, tmp_path):
    def written(place: str) -> bytes:
        output = tmp_path / f"{place}.vec"
        run("vectors", place, output, "--text-column", "body", "--dim", 5)
        return output.read_bytes()

    if "vectors" not in known:
        known["vectors"] = written("a file")
    assert written(place) == known["vectors"]


@pytest.mark.parametrize("place", OTHERS)
def test_score(place, answered, model, run, known, tmp_path):
    def answers(place: str) -> list[dict[str, object]]:
        single = ("a file", "a compressed file", "standard input", "an object", "another format")
        output = tmp_path / (f"{place}.parquet" if place in single else "out")
        record = run("score", place, output, "--model", model)
        assert record["rows_out"] == answered.num_rows
        columns = ["text", "label", "predicted_label", "confidence", "status"]
        return pq.read_table(output, columns=columns).to_pylist()

    if "score" not in known:
        known["score"] = answers("a file")
    assert answers(place) == known["score"]


COMMANDS = {
    "train": ("--model", "m"),
    "tune": (),
    "audit": (),
    "evaluate": ("--model", "@model"),
    "vectors": ("out.vec",),
    "score": ("out.parquet", "--model", "@model"),
}
REFUSED = {
    "a format that is no such": (("whole.csv", "--format", "jsonl"), 65, "is not a JSON object"),
    "an encoding that does not fit": (("whole.dat", "--format", "csv"), 65, "is not UTF-8"),
    "no such encoding": (("whole.csv", "--encoding", "utf-99"), 2, "no text encoding"),
    "a delimiter of two": (("whole.csv", "--delimiter", "ab"), 2, "give one character"),
    "an encoding of Parquet": (
        ("in/deep/b.parquet", "--encoding", "latin-1"),
        64,
        "--encoding is for CSV and JSON Lines",
    ),
    "a delimiter of Parquet": (("in/deep/b.parquet", "--delimiter", ";"), 64, "is for CSV"),
    "a name without a format": (("whole.dat",), 2, "cannot tell the format of whole.dat"),
    "a pipe without a format": (("-",), 2, "standard input has no name to go by"),
    "a pipe twice": (("-", "-", "--format", "csv"), 64, "standard input"),
    "nothing": (("no.csv",), 68, "No such file"),
    "nothing that matches": (("no*.csv",), 68, "no input file in no*.csv"),
    "nothing in the store": (("s3://bucket/no.csv",), 68, "there is no such object"),
    "no such bucket": (("s3://no-bucket/in/*",), 68, "there is no such bucket"),
    "a folder in no such bucket": (("s3://no-bucket/in/",), 68, "there is no such bucket"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("case", REFUSED)
def test_what_one_command_refuses_the_others_refuse_alike(
    case, command, answered, model, in_process
):
    Path("whole.dat").write_bytes("text;label\ngrößer;x\n".encode("latin-1"))
    arguments, code, message = REFUSED[case]
    # The places, the output where there is one, and then the flags.
    flags = next((i for i, word in enumerate(arguments) if word.startswith("--")), len(arguments))
    behind = [str(model) if word == "@model" else word for word in COMMANDS[command]]
    done = in_process(command, *arguments[:flags], *behind, *arguments[flags:])
    assert done.returncode == code, done.stderr
    assert message in done.stderr


@pytest.mark.parametrize("command", ["evaluate", "score"])
def test_texts_that_stand_for_a_missing_one(command, model, in_process, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text(f"text,label\nrefund,{LABELS[0]}\nN/A,{LABELS[1]}\n")
    output = ["out.parquet"] if command == "score" else []
    done = in_process(command, "in.csv", *output, "--model", model, "--null-text", "N/A", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["statuses"] == {"ok": 1, "null_text": 1}
