"""The Python interface on all that callers hand over: an answer, or one clear error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import textbatch
from textbatch.errors import ConflictError, DataError
from textbatch.types import Status

TEXTS = ["refund my card", None, "cannot log in", ""]
HALF = "half \ud800 a pair"


@pytest.fixture(scope="module")
def loaded(model):
    with textbatch.load(model) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def expected(loaded):
    return loaded.predict(TEXTS)


SEQUENCES = {
    "tuple": tuple(TEXTS),
    "generator": lambda: (text for text in TEXTS),
    "numpy objects": np.array(TEXTS, object),
    "Series": pd.Series(TEXTS, dtype=object),
    "Series of strings": pd.Series(TEXTS, dtype="string"),
    "Series of Arrow's strings": pd.Series(TEXTS, dtype=pd.ArrowDtype(pa.string())),
    "categories": pd.Series(TEXTS, dtype="category"),
    "Index": pd.Index(TEXTS, dtype=object),
    "polars Series": pl.Series(TEXTS),
    "Arrow": pa.array(TEXTS),
    "Arrow, chunks": pa.chunked_array([TEXTS[:1], [], TEXTS[1:]]),
    "Arrow, large": pa.array(TEXTS, pa.large_string()),
    "Arrow, views": pa.array(TEXTS, pa.string_view()),
    "Arrow, bytes": pa.array([text and text.encode() for text in TEXTS], pa.binary()),
    "Arrow, dictionary": pa.array(TEXTS).dictionary_encode(),
    "NaN": [TEXTS[0], float("nan"), *TEXTS[2:]],
    "numpy's NaN": [TEXTS[0], np.float32("nan"), *TEXTS[2:]],
    "NA": [TEXTS[0], pd.NA, *TEXTS[2:]],
    "NaT": [TEXTS[0], pd.NaT, *TEXTS[2:]],
    "bytes": [text if text is None else text.encode() for text in TEXTS],
    "numpy strings": [text if text is None else np.str_(text) for text in TEXTS],
}


@pytest.mark.parametrize("kind", SEQUENCES)
def test_texts_are_taken_from_any_sequence(kind, loaded, expected):
    given = SEQUENCES[kind]
    found = loaded.predict(given() if callable(given) else given)
    assert found.status.tolist() == expected.status.tolist()
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)


@pytest.mark.parametrize(
    "empty", [[], (), pa.array([]), pa.chunked_array([], pa.string()), pd.Series([], dtype=object)]
)
def test_no_texts_have_no_answers(empty, loaded):
    assert loaded.predict(empty).probabilities.shape == (0, len(loaded.labels))


@pytest.mark.parametrize("bad", [HALF, b"caf\xe9"])
def test_a_text_without_utf8_is_a_bad_one(bad, loaded):
    found = loaded.predict(["refund", bad])
    assert found.status.tolist()[1] == Status.BAD_TEXT
    assert np.isnan(found.probabilities[1]).all()


NO_TEXTS = {
    "one text": ("refund", r"the texts are one str; give a list, Series or Arrow array of texts"),
    "bytes": (b"refund", "are one bytes"),
    "None": (None, "are one NoneType"),
    "a number": (7, "are one int"),
    "a dict": ({"text": ["refund"]}, "are one dict"),
    "a set": ({"refund"}, "are one set"),
    "a frame": (pd.DataFrame({"text": TEXTS}), "are one pandas.DataFrame"),
    "a polars frame": (pl.DataFrame({"text": TEXTS}), "are one polars.DataFrame"),
    "a table": (pa.table({"text": TEXTS}), "are one pyarrow.Table"),
    "a batch": (pa.record_batch({"text": TEXTS}), "are one pyarrow.RecordBatch"),
    "a matrix": (np.array([TEXTS], object), "are one numpy.ndarray"),
    "a scalar": (np.array("refund"), "are one numpy.ndarray"),
    "numbers": ([1, 2], "item 0 is int; give"),
    "a number among texts": (["refund", 1.5], "item 1 is float"),
    "numpy numbers": (np.arange(3), "item 0 is numpy.int64"),
    "true": (["refund", True], "item 1 is bool"),
    "lists": ([["refund"]], "item 0 is list"),
    "Series of numbers": (pd.Series([1, 2]), "item 0 is int"),
    "Arrow numbers": (pa.array([1, 2]), "the texts are int64; give"),
    "Arrow lists": (pa.array([["Jane"]]), "the texts are list; give"),
    "Arrow structs": (pa.array([{"Jane Doe": 1}]), "the texts are struct; give"),
}


@pytest.mark.parametrize("kind", NO_TEXTS)
def test_anything_else_is_one_error_that_says_what_is_taken(kind, loaded):
    given, message = NO_TEXTS[kind]
    with pytest.raises(TypeError, match=message) as caught:
        loaded.predict(given)
    assert "Jane" not in str(caught.value)


def test_a_record_batch_is_answered_by_one(loaded):
    batch = pa.record_batch({"text": TEXTS, "id": [1, 2, 3, 4]})
    scored = loaded.score_table(batch)
    assert isinstance(scored, pa.RecordBatch)
    assert scored.to_pylist() == loaded.score_table(pa.Table.from_batches([batch])).to_pylist()
    assert len(loaded.score_table(batch.slice(0, 0))) == 0


def test_a_polars_frame_is_answered_by_one_that_keeps_its_columns(loaded):
    frame = pl.DataFrame(
        {
            "text": TEXTS,
            "when": pl.Series([None, 1, 2, 3], dtype=pl.Datetime("us")),
            "kind": pl.Series(["a", "b", "a", None], dtype=pl.Categorical),
            "any": pl.Series([object()] * 4, dtype=pl.Object),
        }
    )
    scored = loaded.score_table(frame, probabilities=True, top_k=2)
    assert isinstance(scored, pl.DataFrame)
    assert scored.select("text", "when", "kind").equals(frame.select("text", "when", "kind"))
    answers = loaded.score_table(pa.table({"text": TEXTS}), probabilities=True, top_k=2)
    for name in ("predicted_label", "status", "confidence", "top_labels"):
        assert scored[name].to_list() == answers[name].to_pylist()
    assert loaded.score_table(frame.head(0)).height == 0
    with pytest.raises(ConflictError, match="column 'status'"):
        loaded.score_table(frame.with_columns(status=pl.lit("x")))


def test_what_hands_out_arrow_tables_is_answered_by_one(loaded):
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.sql("select 'refund my card' as text, 1 as id")
    assert loaded.score_table(relation).column_names[:2] == ["text", "id"]


def test_half_a_surrogate_pair_in_a_frame_is_a_bad_text(loaded):
    texts = pd.Series(["refund", HALF, None, float("nan")], dtype=object)
    scored = loaded.score_table(pd.DataFrame({"text": texts}))
    assert list(scored["status"]) == ["ok", "bad_text", "null_text", "null_text"]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            pd.DataFrame({"text": ["Jane", 7]}),
            "column 'text' does not hold text only: item 1 is in",
        ),
        (pd.DataFrame({"text": [1, 2]}), "column 'text' holds int64, not text"),
        (pl.DataFrame({"text": [1, 2]}), "'text' does not hold text only: item 0 is int"),
        (pl.DataFrame({"text": [["Jane"]]}), "'text' holds lists of strings, not text"),
        (pl.DataFrame({"id": ["Jane"]}), "the frame has no single column 'text'"),
        (pa.table({"id": ["Jane"]}), "the table has no single column 'text'"),
    ],
)
def test_a_table_without_texts_is_a_data_error(frame, message, loaded):
    with pytest.raises(DataError, match=message) as caught:
        loaded.score_table(frame)
    assert "Jane" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("in.parquet", "the table is str; give a pandas or polars DataFrame, or an Arrow table"),
        ({"text": ["Jane"]}, "the table is dict"),
        ([{"text": "Jane"}], "the table is list"),
        (pd.Series(["Jane"], name="text"), "the table is pandas.Series"),
        (pl.Series("text", ["Jane"]), "the table is polars.Series"),
        (pl.LazyFrame({"text": ["Jane"]}), "the table is polars.LazyFrame"),
        (pa.chunked_array([["Jane"]]), "the table is pyarrow.ChunkedArray"),
        (None, "the table is NoneType"),
        (np.zeros(3), "the table is numpy.ndarray"),
    ],
)
def test_what_is_no_table_is_one_error_that_says_what_is_taken(given, message, loaded):
    with pytest.raises(TypeError, match=message) as caught:
        loaded.score_table(given)
    assert "Jane" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        pd.DataFrame({"text": ["refund", None, "login"], "n": [1, 2, 3]}),
        pl.DataFrame({"text": ["refund", None, "login"], "n": [1, 2, 3]}),
        pa.table({"text": ["refund", None, "login"], "n": [1, 2, 3]}),
        pa.record_batch({"text": ["refund", None, "login"], "n": [1, 2, 3]}),
    ],
    ids=lambda given: type(given).__module__,
)
def test_score_on_a_table_is_score_table(given, loaded, model):
    options = {"top_k": 2, "prefix": "my_", "min_confidence": 0.4}
    scored = textbatch.score(given, model=model, **options)
    assert type(scored) is type(given)
    expected = loaded.score_table(given, **options)
    assert scored.equals(expected)
    assert "my_top_labels" in (getattr(scored, "column_names", None) or scored.columns)
    assert textbatch.score(given, model=model, text_column="text").shape == (3, 5)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"output": "out.parquet"}, "output"),
        ({"columns": ["text"]}, "columns"),
        ({"incremental": True}, "incremental"),
        ({"report": "r.json"}, "report"),
        ({"null_text": ["n/a"]}, "null_text"),
        ({"progress": object()}, "progress"),
    ],
)
def test_what_only_files_have_is_refused_with_a_table(more, named, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConflictError, match=f"`inputs` is a table in memory, and `{named}` is for"):
        textbatch.score(pd.DataFrame({"text": ["Jane"]}), model=model, **more)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"text": ["Jane"]}, "the table is dict; give a pandas or polars DataFrame"),
        ([pd.DataFrame({"text": ["Jane"]})], "score takes one table, .* holds pandas.DataFrame"),
        ("a.csv", "score needs an output for files"),
    ],
)
def test_what_is_no_single_table_is_refused(given, message, model):
    with pytest.raises(TypeError, match=message) as caught:
        textbatch.score(given, model=model)
    assert "Jane" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: textbatch.score(7, "out.parquet"), "`inputs` is int; give a path, or several"),
        (lambda: textbatch.score(["a.csv", 3], "out.parquet"), "`inputs` is int; give a path"),
        (lambda: textbatch.score(b"a.csv", "out.parquet"), "`inputs` is bytes; give a path"),
        (lambda: textbatch.score("a.csv", 7), "`output` is int; give a path"),
        (lambda: textbatch.score("a.csv", pd.DataFrame()), "`output` is DataFrame; give a path"),
        (lambda: textbatch.train(pd.DataFrame({"text": []})), "`inputs` is DataFrame; give a pa"),
        (lambda: textbatch.evaluate({"text": []}), "`inputs` is dict; give a path, or several"),
    ],
)
def test_what_is_no_path_is_one_error_that_names_the_parameter(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_a_dictionary_array_that_points_outside_is_refused(loaded):
    broken = pa.DictionaryArray.from_arrays(
        pa.array([0, 7], pa.int32()), pa.array(["a", "b"]), safe=False
    )
    for call, given in (loaded.predict, broken), (loaded.score_table, pa.table({"text": broken})):
        with pytest.raises(TypeError, match="outside its dictionary"):
            call(given)


def test_a_clash_of_names_names_no_flag(loaded):
    with pytest.raises(ConflictError, match="give a prefix, or rename or drop the column"):
        loaded.score_table(pa.table({"text": TEXTS, "Status": TEXTS}))
