from __future__ import annotations

import pytest
from support.bundles import random_bundle, write_bundle, write_texts

from textbatch.errors import OutputError
from textbatch.scoring.api import score
from textbatch.scoring.differences import other_options, remembered

TEXTS = ["refund", "login crash", None]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    for name in "ab":
        write_texts(tmp_path / "in" / f"{name}.parquet", TEXTS)
    return tmp_path


def refusal(*places, **options) -> str:
    with pytest.raises(OutputError) as refused:
        score(*places, **options)
    return refused.value.what


@pytest.mark.parametrize("name", ["out.parquet", "out.csv", "out.jsonl.gz"])
def test_a_refused_file_says_what_differs(name, folder, model):
    places, skip = (folder / "in" / "a.parquet", folder / name), {"if_exists": "skip"}
    score(*places, model=model, top_k=1)
    told = refusal(*places, model=model, prefix="p_", **skip)
    assert told == f"{places[1]} exists: it was made with another --prefix and --top-k"
    other = write_bundle(folder / "other", random_bundle(max_sequence_length=9))
    told = refusal(*places, model=other, top_k=1, **skip)
    assert "it was made by another model (" in told
    assert "--top-k" not in told
    write_texts(folder / "in" / "a.parquet", ["other"])
    told = refusal(*places, model=other, **skip)
    assert "from another input, or from this one before it changed, and by another model" in told
    assert told.endswith("and with another --top-k")


def test_a_file_of_somebody_else_is_called_so(folder, model):
    places = (folder / "in" / "a.parquet", folder / "in" / "b.parquet")
    told = refusal(*places, model=model, if_exists="skip")
    assert told.endswith("b.parquet exists, and was not made by textbatch")


def test_a_refused_folder_says_what_differs(folder, model):
    places = (folder / "in", folder / "out")
    score(*places, model=model, null_text=["x"])
    skip = {"if_exists": "skip", "model": model}
    assert refusal(*places, **skip).endswith("out was made with another --null-text")
    told = refusal(*places, model=model, incremental=True)
    assert told.endswith("out was made with another --null-text")
    other = write_bundle(folder / "other", random_bundle(max_sequence_length=9))
    for how in ({"incremental": True}, {"if_exists": "skip"}):
        told = refusal(*places, model=other, null_text=["x"], **how)
        assert "out was made by another model (" in told
        assert "--null-text" not in told
    write_texts(folder / "in" / "c.parquet", TEXTS)
    told = refusal(*places, **skip)
    assert "from other files, or from these before they changed, and with another" in told


def test_no_path_and_no_long_value_is_remembered():
    found = remembered(
        {"quarantine": "/home/me/bad.jsonl", "columns": tuple("abc" * 99), "top_k": 3}
    )
    assert found["top_k"] == "3"
    assert all(found[name].startswith("sha256 ") for name in ("quarantine", "columns"))
    assert "home" not in str(found)


def test_options_are_named_as_flags_and_all_of_them():
    assert other_options({}, {}) == ""
    assert other_options({"top_k": "1"}, {"top_k": "2", "min_confidence": "0.5"}) == (
        "--min-confidence and --top-k"
    )
    assert other_options({"types": "a"}, {}) == "types of columns"
