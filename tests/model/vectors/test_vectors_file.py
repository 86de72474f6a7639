from __future__ import annotations

import gzip
import pickle
import resource
import struct
from pathlib import Path

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors
from gensim.models.fasttext import load_facebook_vectors, save_facebook_model

from textbatch.errors import DataError, InputNotFoundError
from textbatch.model.vectors.vectors_file import read_vectors

WORDS = ("the", "of", "refund", "invoice", "don't", "café", "parcel", "zebra")
DIM = 7


@pytest.fixture(scope="module")
def keyed() -> KeyedVectors:
    vectors = KeyedVectors(DIM)
    table = np.random.default_rng(0).normal(size=(len(WORDS), DIM)).astype(np.float32)
    vectors.add_vectors(list(WORDS), table)
    return vectors


def packed(path: Path) -> Path:
    """The file, gzipped."""
    target = path.with_name(path.name + ".gz")
    target.write_bytes(gzip.compress(path.read_bytes()))
    return target


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("in_gzip", [False, True])
def test_word2vec_files_come_back_as_gensim_reads_them(keyed, tmp_path, binary, in_gzip):
    path = tmp_path / "vectors.vec"
    keyed.save_word2vec_format(path, binary=binary)
    expected = KeyedVectors.load_word2vec_format(path, binary=binary)
    found = read_vectors(packed(path) if in_gzip else path, wanted=WORDS, most_frequent=0)
    assert found.words == WORDS
    assert found.table.dtype == np.float32
    assert np.array_equal(found.table, expected[list(WORDS)])


@pytest.mark.parametrize("separator", [b"\n", b" \n", b"\r\n"])
def test_glove_files_have_no_header(tmp_path, separator):
    path = written(tmp_path / "glove.txt", separator.join([b", 1 2", b"the 3 4", b"of 5e-1 -6"]))
    found = read_vectors(path, wanted={"of"}, most_frequent=5)
    assert found.words == ("the", "of")
    assert found.table.tolist() == [[3.0, 4.0], [0.5, -6.0]]


@pytest.fixture(scope="module")
def facebook(tmp_path_factory) -> Path:
    random = np.random.default_rng(0)
    sentences = [random.choice(WORDS, 6).tolist() for _ in range(80)]
    model = FastText(sentences, vector_size=DIM, min_count=1, bucket=50, epochs=2, workers=1)
    path = tmp_path_factory.mktemp("fasttext") / "model.bin"
    save_facebook_model(model, str(path))
    return path


@pytest.mark.parametrize("in_gzip", [False, True])
def test_fasttext_models_give_gensims_vectors_for_unknown_words_too(facebook, in_gzip):
    expected = load_facebook_vectors(facebook)
    wanted = {*WORDS, "refunds", "invoiced"}
    path = packed(facebook) if in_gzip else facebook
    found = read_vectors(path, wanted=wanted, most_frequent=0)
    assert set(found.words) == wanted
    for word, vector in zip(found.words, found.table, strict=True):
        assert np.allclose(vector, expected[word], atol=1e-6), word


def test_only_wanted_words_and_the_first_others_are_kept(keyed, tmp_path):
    path = tmp_path / "vectors.vec"
    keyed.save_word2vec_format(path)
    assert read_vectors(path, wanted={"zebra"}, most_frequent=2).words == ("the", "of", "zebra")
    assert read_vectors(path, wanted={"zebra", "of"}, most_frequent=0).words == ("of", "zebra")


def test_words_are_matched_as_texts_are_read_and_the_exact_form_wins(tmp_path):
    rows = ["The 1", "THE 2", "the 3", "Paris 4", "PARIS 5", "ﬁne 6", "New_York 7", "... 8"]
    path = written(tmp_path / "vectors.txt", "\n".join(rows).encode())
    found = read_vectors(path, wanted={"the", "new_york"}, most_frequent=9)
    assert dict(zip(found.words, found.table[:, 0].tolist(), strict=True)) == {
        "the": 3.0,
        "paris": 4.0,
        "fine": 6.0,
    }


def test_words_cut_inside_a_character_are_passed_over(tmp_path):
    path = written(tmp_path / "v.txt", b"caf\xc3 1 2\nthe 3 4\n")
    assert read_vectors(path, wanted={"the"}, most_frequent=9).words == ("the",)


CASES = {
    "fewer rows than told": (b"5 2\nthe 1 2\n", r"ends after line 2: it has 1 rows.* says 5"),
    "more rows than told": (b"1 2\nthe 1 2\nof 1 2\n", "has 2 rows, its header says 1"),
    "ragged row": (b"2 2\nthe 1 2\nof 1\n", "line 3 of .* has 2 fields"),
    "ragged row of an unneeded word": (b"2 2\nthe 1 2\nxyz 1\n", "line 3 of .* has 2 fields"),
    "no number": (b"2 2\nthe 1 2\nof 1 x\n", "line 3 of .* something else"),
    "a number of Python": (b"2 2\nthe 1 2\nof 1 1_0\n", "line 3 of .* something else"),
    "no number in GloVe": (b"the 1 2\nof 1 x\n", "line 2 of .* something else"),
    "NaN": (b"2 2\nthe 1 nan\nof 1 2\n", "line 2 of .* NaN or infinite"),
    "infinity": (b"2 2\nthe 1 1e99\nof 1 2\n", "line 2 of .* NaN or infinite"),
    "more numbers than told": (b"2 2\nthe 1 2 3\nof 1 2 3\n", "other than 2 numbers .* 2 of 2"),
    "UTF-16": ("the 1 2\n".encode("utf-16"), "line 1 of .* neither"),
    "cut off in the last row": (b"the 1 2\nof 1 2\nxyz 1", "line 3 of .* has 2 fields"),
    "blank line": (b"2 2\nthe 1 2\n\nof 1 2\n", "line 3 of .* has 0 fields"),
    "no dimensions": (b"2 0\nthe\nof\n", "line 1 of .* says 0 dimensions"),
    "a billion dimensions": (b"2 1000000000\nthe 1 2\n", "line 1 .* 1000000000 dimensions"),
    "no rows": (b"0 2\n", "line 1 of .* 0 rows"),
    "a trillion rows": (b"1000000000000 2\nthe 1 2\n", "says 1,000,000,000,000"),
    "a trillion binary rows": (
        b"1000000000000 2\nthe " + struct.pack("<2f", 1, 2),
        "says 1,000,000,000,000 rows, more than the file can hold",
    ),
    "truncated binary": (b"2 4\nthe " + struct.pack("<6f", *range(6)), "ends inside a row|hold"),
    "binary without words": (b"2 4\n" + b"\1" * 20_000, "holds no words"),
    "CSV": (b"word,a,b\nthe,1,2\n", "line 1 of .* neither"),
    "no needed word": (b"1 2\n... 1 2\n", "no vector of any word needed"),
    "empty": (b"", "is empty"),
    "endless line": (b"the 1 2\n" + b"x" * 3_000_000, "line 2 of .* longer"),
    "zip": (b"PK\x03\x04aaaa", "is an archive"),
    "broken gzip": (gzip.compress(b"the 1 2\n" * 9)[:-9], "damaged inside its compression"),
    "pickle": (pickle.dumps({"the": [1.0, 2.0]}), "pickle.*export as word2vec text"),
    "old pickle": (pickle.dumps({"the": [1.0, 2.0]}, protocol=0), "pickle.*export as"),
    "pickle in gzip": (gzip.compress(pickle.dumps({"the": 1})), "pickle.*export as"),
    "numpy": (b"\x93NUMPY\x01\x00", "pickle or numpy"),
    "fastText without end": (struct.pack("<2i", 793712314, 12), "ends inside a row"),
    "fastText of a billion words": (
        struct.pack("<2i12id3i2q", 793712314, 12, 2, *range(11), 0.0, 10**9, 10**9, 0, 9, -1),
        "ends inside a row|impossible sizes",
    ),
    "quantized fastText": (
        struct.pack("<2i12id3i2q", 793712314, 12, 2, *[1] * 11, 0.0, 1, 1, 0, 9, 0),
        "quantized",
    ),
}


ODD = {
    "a word with spaces": (b"the 1 2\n. . . 1 2\nat a@b.c 1 2\n2 000 1 2\nof 3 4\n", 3, 0),
    "in the first line": (b". . . 1 2\nthe 1 2\nof 3 4\n", 1, 0),
    "without a word": (b"the 1 2\n 1 2\nof 3 4\n", 1, 0),
    "with a header": (b"4 2\nthe 1 2\n\xc2\xa0 x 1 2\n 5 6\nof 3 4\n", 2, 0),
    "repeated words": (b"the 1 2\nof 3 4\nthe 5 6\nthe 7 8\nof 9 9\n", 0, 3),
    "a mark": (b"\xef\xbb\xbfthe 1 2\nof 3 4\n", 0, 0),
    "a mark and a header": (b"\xef\xbb\xbf2 2\nthe 1 2\nof 3 4\n", 0, 0),
    "binary": (
        b"3 2\n" + b"".join(
            word + b" " + struct.pack("<2f", *numbers)
            for word, numbers in ((b"the", (1, 2)), (b"of", (3, 4)), (b"the", (5, 6)))
        ),
        0,
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("in_gzip", [False, True])
@pytest.mark.parametrize("case", ODD)
def test_rows_that_no_text_can_use_are_skipped_and_counted(tmp_path, case, in_gzip):
    content, spaced, repeated = ODD[case]
    path = written(tmp_path / "vectors.txt", gzip.compress(content) if in_gzip else content)
    found = read_vectors(path, wanted={"the", "of"}, most_frequent=0)
    assert dict(zip(found.words, found.table.tolist(), strict=True)) == {
        "the": [1.0, 2.0],
        "of": [3.0, 4.0],
    }
    assert (found.spaced, found.repeated) == (spaced, repeated)
    assert bool(found.skipped()) == bool(spaced + repeated)


@pytest.mark.parametrize("case", CASES)
def test_malformed_files_are_refused_with_their_place_in_little_memory(tmp_path, case):
    content, message = CASES[case]
    path = written(tmp_path / "vectors.bin", content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match=message):
        read_vectors(path, wanted={"the", "of"}, most_frequent=5)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize("name", ["a.kv", "a.model", "a.pkl", "a.npy", "a.model.gz"])
def test_names_of_pickles_are_refused_whatever_they_hold(tmp_path, name):
    with pytest.raises(DataError, match="export as word2vec text"):
        read_vectors(written(tmp_path / name, b"the 1 2\n"), wanted={"the"}, most_frequent=1)


def test_a_pickled_gensim_file_is_never_loaded(keyed, tmp_path):
    keyed.save(str(tmp_path / "renamed.vec"))
    with pytest.raises(DataError, match="pickle"):
        read_vectors(tmp_path / "renamed.vec", wanted=WORDS, most_frequent=1)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputNotFoundError):
        read_vectors(tmp_path / "no.vec", wanted={"the"}, most_frequent=1)


def test_a_large_file_streams_in_little_memory(tmp_path):
    path = tmp_path / "large.vec"
    row = b" 0.25" * 300 + b"\n"
    with path.open("wb") as file:
        file.write(b"60000 300\n")
        file.writelines(b"w%d" % number + row for number in range(60_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = read_vectors(path, wanted={"w59999"}, most_frequent=10)
    assert len(found.words) == 11
    # The table alone would be 72 MB, the file is 91 MB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("in_gzip", [False, True])
def test_every_byte_read_is_told_once(tmp_path, binary, in_gzip):
    vectors = KeyedVectors(64)
    table = np.random.default_rng(0).normal(size=(9_000, 64)).astype(np.float32)
    vectors.add_vectors([f"w{number}" for number in range(9_000)], table)
    path = tmp_path / "vectors.vec"
    vectors.save_word2vec_format(path, binary=binary)
    path = packed(path) if in_gzip else path
    told: list[int] = []
    read_vectors(path, wanted=["w1"], most_frequent=0, on_bytes=told.append)
    assert told
    # The rest of a binary file, less than is worth telling, may stay unread.
    assert 0 <= path.stat().st_size - sum(told) < 1 << 20
