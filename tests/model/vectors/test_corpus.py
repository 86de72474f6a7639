from __future__ import annotations

import pyarrow as pa

from textbatch.model.vectors.corpus import write_corpus


def chunk(*texts: str) -> pa.Array:
    return pa.array(texts, pa.large_string())


def test_each_text_becomes_a_line_of_its_tokens(tmp_path):
    path = tmp_path / "corpus.txt"
    corpus = write_corpus(path, [chunk("The cat!", "", "!…", "ÉTÉ 文本")], [chunk("A dog.\nBarks")])
    lines = path.read_text().splitlines()
    assert lines == ["the cat", "été 文 本", "a dog barks"]
    assert (corpus.texts, corpus.tokens) == (3, 8)
    assert corpus.counts["the"] == 1


def test_texts_that_are_also_labelled_count_once(tmp_path):
    path = tmp_path / "corpus.txt"
    corpus = write_corpus(path, [chunk("the cat", "a dog")], [chunk("The cat.", "a bird")])
    assert path.read_text().splitlines() == ["the cat", "a dog", "a bird"]
    assert corpus.frequent(2) == {"a": 2}


def test_frequent_words_come_first_and_ties_in_order(tmp_path):
    corpus = write_corpus(tmp_path / "c.txt", [], [chunk("b a c c", "b a c"), chunk("d")])
    assert list(corpus.frequent(1).items()) == [("c", 3), ("a", 2), ("b", 2), ("d", 1)]


def test_long_texts_are_broken_instead_of_cut(tmp_path):
    path = tmp_path / "corpus.txt"
    corpus = write_corpus(path, [], [chunk("a " * 25_000, "b")])
    assert [line.count("a") for line in path.read_text().splitlines()] == [10_000, 10_000, 5_000, 0]
    assert corpus.tokens == 25_001
