from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from safetensors.numpy import save_file
from support.piece_packages import MERGES, PARTS, PiecePackages

from textbatch.errors import DataError, MissingExtraError
from textbatch.model.vectors import piece_table
from textbatch.model.vectors.piece_table import pieces_size, read_pieces
from textbatch.model.vectors.word_pieces import WordPieces


@pytest.fixture
def packages(tmp_path, monkeypatch):
    return PiecePackages(tmp_path, monkeypatch)


@pytest.fixture
def pieces(packages) -> WordPieces:
    return WordPieces(packages.ids, {pair: rank for rank, pair in enumerate(MERGES)})


def names(packages, ids: list[int]) -> list[str]:
    return [list(packages.ids)[one] for one in ids]


def test_merges_that_come_first_are_done_first_and_the_leftmost_first(packages, pieces):
    assert names(packages, pieces.split("the")) == ["▁the"]
    assert names(packages, pieces.split("tonon")) == ["▁t", "on", "on"]
    # "o n" is before "d on", which is before "▁n on".
    assert names(packages, pieces.split("ndon")) == ["▁n", "don"]
    assert names(packages, pieces.split("")) == ["▁"]


def test_what_has_no_piece_is_its_bytes(packages, pieces):
    assert names(packages, pieces.split("aé")) == ["▁", "a", "<0xC3>", "<0xA9>"]


def test_the_spelling_with_the_fewest_pieces_counts(packages, pieces):
    assert names(packages, pieces.shortest("london")) == ["▁London"]
    assert names(packages, pieces.shortest("lon")) == ["▁Lon"]
    assert names(packages, pieces.shortest("the")) == ["▁the"]


def test_a_word_as_long_as_a_text_is_cut(pieces):
    assert len(pieces.split("x" * 1_000_000)) == 201


def test_each_word_has_the_mean_of_its_pieces(packages):
    found = read_pieces(wanted={"tonon", "london", "é"}, most_frequent=0)
    assert found.words == ("london", "tonon", "é")
    expected = [
        packages.mean("▁London"), packages.mean("▁t", "on", "on"),
        packages.mean("▁", "<0xC3>", "<0xA9>"),
    ]  # fmt: skip
    assert np.allclose(found.table, expected, atol=1e-6)
    assert found.table.dtype == np.float32


def test_frequent_words_follow_as_tokens_and_then_pieces_that_are_words(packages):
    found = read_pieces(wanted={"a"}, most_frequent=100)
    # "of course" is two tokens. "The" is "the", "Lon" is "lon".
    assert found.words == ("a", "the", "to", "non", "t", "l", "lon", "london", "n")
    assert read_pieces(wanted={"the"}, most_frequent=2).words == ("the", "to", "a")


def test_many_words_are_the_same_as_few(packages, monkeypatch):
    words = {f"{a}{b}" for a in "abcdt" for b in "ehnox"}
    whole = read_pieces(wanted=words, most_frequent=3)
    monkeypatch.setattr(piece_table, "_WORDS_AT_ONCE", 7)
    told: list[int] = []
    again = read_pieces(wanted=words, most_frequent=3, on_bytes=told.append)
    assert again.words == whole.words
    assert np.array_equal(again.table, whole.table)
    assert sum(told) == pieces_size()


@pytest.mark.parametrize(("package", "told"), [("wordllama",) * 2, ("spellchecker", "pyspell")])
def test_without_the_extra_it_says_the_line_to_run(packages, package, told):
    del packages.folders[package]
    line = f"--vectors wordllama needs {told}.*; pip install 'textbatch\\[wordllama\\]'"
    with pytest.raises(MissingExtraError, match=line) as error:
        pieces_size()
    assert error.value.exit_code == 2


@pytest.mark.parametrize("part", PARTS)
def test_another_release_with_other_files_is_refused(packages, part):
    path = packages.place(part)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(DataError, match=f"{part.name} is none of the files.*pip install"):
        read_pieces(wanted={"the"}, most_frequent=1)


@pytest.mark.parametrize("part", PARTS)
def test_a_file_that_is_missing_is_told(packages, part):
    packages.place(part).unlink()
    with pytest.raises(DataError, match=f"--vectors wordllama: cannot read .*{part.name}"):
        pieces_size()


@pytest.mark.parametrize(
    "table",
    [
        {"embedding.weight": np.ones(8, np.float16)},
        {"embedding.weight": np.ones((0, 4), np.float16)},
        {"embedding.weight": np.full((400, 4), np.nan, np.float16)},
        {"other": np.ones((400, 4), np.float16)},
        {"embedding.weight": np.ones((5, 4), np.float16)},
    ],
)
def test_a_table_of_another_shape_is_refused(packages, table):
    save_file(table, packages.folders["wordllama"] / piece_table.WEIGHTS)
    packages.trust()
    with pytest.raises(DataError, match=r"(has no table of vectors|fewer rows than)"):
        read_pieces(wanted={"the"}, most_frequent=0)


def test_a_table_that_is_no_safetensors_file_is_refused(packages):
    (packages.folders["wordllama"] / piece_table.WEIGHTS).write_bytes(b"\x80\x04pickle")
    packages.trust()
    with pytest.raises(DataError, match="has no table of vectors"):
        read_pieces(wanted={"the"}, most_frequent=0)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "WordPiece"},
        {"merges": [["▁", "t", "x"]]},
        {"merges": [["no", "piece"]]},
        {"merges": 5},
        {"vocab": {"a": 1}},
        {"vocab": ["a"]},
    ],
)
def test_pieces_of_another_shape_are_refused(packages, change):
    model = {"type": "BPE", "vocab": packages.ids, "merges": [list(pair) for pair in MERGES]}
    packages.write_pieces({"model": model | change})
    packages.trust()
    with pytest.raises(DataError, match="has no pieces of words"):
        read_pieces(wanted={"the"}, most_frequent=0)


@pytest.mark.parametrize("value", [["the"], {"the": "often"}, 5])
def test_a_list_of_words_of_another_shape_is_refused(packages, value):
    packages.write_words(value)
    packages.trust()
    with pytest.raises(DataError, match="has no words and numbers"):
        read_pieces(wanted={"the"}, most_frequent=1)


@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("wordllama", "spellchecker", "tokenizers"))),
    reason="the extra wordllama is not installed",
)
def test_the_real_package_gives_what_its_own_tokenizer_gives():
    from tokenizers import Tokenizer

    words = ["refund", "london", "don't", "naïve", "日", "👍", "unhappinesses", "straße", "ไทย"]
    found = read_pieces(wanted=words, most_frequent=50)
    assert found.table.shape == (len(words) + 50, 256)
    assert found.words[len(words) :][:3] == ("the", "you", "i")
    folder = piece_table._package("wordllama")
    own = Tokenizer.from_file(str(folder / piece_table.TOKENIZER))
    table = piece_table._table(lambda _: None)
    vectors = dict(zip(found.words, found.table, strict=True))
    for word in words:
        forms = [word, word.capitalize(), word.upper()]
        ids = min((own.encode(form, add_special_tokens=False).ids for form in forms), key=len)
        assert np.allclose(vectors[word], table[ids].mean(axis=0), atol=1e-6), word
