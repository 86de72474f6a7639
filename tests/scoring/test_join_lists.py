"""`--join-lists`: texts that are lists of strings, in every command that reads texts."""

from __future__ import annotations

import json

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import textbatch
from textbatch.data.readers.labelled import read_labelled
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.readers.unlabelled import UnlabelledFiles
from textbatch.errors import DataError, OutputError

LISTS = [["refund", "the card"], None, [], ["login", None], [None], ["late", "late", "refund"]] * 7
JOINED = ["refund the card", None, "", "login", "", "late late refund"] * 7
ADDED = ["predicted_label", "confidence", "status"]
REFUSED = (
    r"column 'text' holds lists of strings, not text; name a text column, or join them with --join"
)


@pytest.fixture
def source(tmp_path):
    """Lists whose strings are dictionaries in the file, in three row groups."""
    path = tmp_path / "in.parquet"
    labels = ["billing", "account"] * 21
    pq.write_table(pa.table({"text": LISTS, "label": labels}), path, row_group_size=17)
    return path


@pytest.fixture
def wanted(model) -> list[dict[str, object]]:
    """What `score` answers to the joined texts."""
    with textbatch.load(model) as loaded:
        return loaded.score_table(pa.table({"text": JOINED})).select(ADDED).to_pylist()


@pytest.mark.parametrize("chunk_rows", [1, 5, 16_384])
def test_the_answers_are_those_to_the_joined_texts(chunk_rows, source, wanted, model, tmp_path):
    output = tmp_path / "out.parquet"
    textbatch.score(source, output, model=model, join_lists=" ", chunk_rows=chunk_rows)
    table = pq.read_table(output)
    assert table.select(ADDED).to_pylist() == wanted
    assert table["text"].to_pylist() == LISTS


def test_json_lines_and_standard_output(wanted, model, tmp_path, in_process):
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in LISTS))
    run = in_process("score", path, "-", "--model", model, "--join-lists", " ")
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert [{name: row[name] for name in ADDED} for row in rows] == [
        {**row, "confidence": pytest.approx(row["confidence"])} for row in wanted
    ]


def test_without_it_lists_are_refused_with_what_to_do(source, model, tmp_path, in_process):
    run = in_process("score", source, tmp_path / "out.parquet", "--model", model)
    assert run.returncode == 65
    assert "--join-lists" in run.stderr
    (tmp_path / "in").mkdir()
    source.rename(tmp_path / "in" / "a.parquet")
    for call in (
        lambda: textbatch.score(tmp_path / "in", tmp_path / "out", model=model),
        lambda: read_labelled(
            [tmp_path / "in"], ReadOptions(), text_column="text", label_column="label"
        ),
        UnlabelledFiles(inputs=[tmp_path / "in"], options=ReadOptions(), text_column="text").check,
    ):
        with pytest.raises(DataError, match=REFUSED):
            call()


def test_another_separator_is_another_job(source, model, tmp_path):
    output = tmp_path / "out.parquet"
    textbatch.score(source, output, model=model, join_lists=" ")
    assert (
        textbatch.score(source, output, model=model, join_lists=" ", if_exists="skip").state
        == "skipped"
    )
    for other in ("", ", "):
        with pytest.raises(OutputError, match="made with another"):
            textbatch.score(source, output, model=model, join_lists=other, if_exists="skip")


def test_labelled_and_unlabelled_files_are_read_by_it(source):
    options = ReadOptions(join_lists=" ", null_text=("login",))
    rows = read_labelled([source], options, text_column="text", label_column="label")
    joined = [None if text == "login" else text for text in JOINED]
    assert rows.texts.to_pylist() == joined
    files = UnlabelledFiles(inputs=[source], options=options, text_column="text")
    found = [text for chunk in files.texts() for text in chunk.to_pylist()]
    assert found == [text for text in joined if text is not None]


@pytest.mark.parametrize("library", ["arrow", "polars", "pandas"])
def test_tables_in_memory(library, source, wanted, model):
    table = pq.read_table(source)
    frame = {"arrow": table, "polars": pl.from_arrow(table), "pandas": table.to_pandas()}[library]
    with textbatch.load(model) as loaded:
        scored = loaded.score_table(frame, join_lists=" ")
        with pytest.raises(DataError, match="holds lists of strings"):
            loaded.score_table(frame)
    arrow = scored if library == "arrow" else pa.table(scored)
    assert arrow["status"].to_pylist() == [row["status"] for row in wanted]


def test_bad_lists_go_into_quarantine_with_their_bytes(model, tmp_path):
    path, aside = tmp_path / "in.parquet", tmp_path / "aside.jsonl"
    column = pa.array([[b"refund"], [b"a", None, b"\xff"], None], pa.list_(pa.binary()))
    pq.write_table(pa.table({"id": [1, 2, 3], "text": column}), path)
    done = textbatch.score(
        path,
        tmp_path / "out.parquet",
        model=model,
        join_lists="|",
        columns=["id"],
        quarantine=aside,
        quarantine_text=True,
        max_bad_rows=1,
    )
    assert (done.rows_out, done.rows_quarantined) == (2, 1)
    (line,) = map(json.loads, aside.read_text().splitlines())
    assert line["row"] == 2
    assert "a|" in str(line["text"])
