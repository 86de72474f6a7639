from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.readers.labelled_rows import LabelledRows, label_counts
from textbatch.errors import (
    ConflictError,
    DataError,
    InputNotFoundError,
    TooManyBadRowsError,
    UsageError,
)
from textbatch.training.config.train import TrainConfig
from textbatch.training.split.dataset import Splits, read_splits
from textbatch.training.split.labels import few_for_folds

Row = tuple[str | None, str]


def write(path: Path, rows: Sequence[Row]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
    else:
        texts, labels = [text for text, _ in rows], [label for _, label in rows]
        pq.write_table(pa.table({"text": texts, "label": labels}), path)
    return path


def numbered(label: str, count: int, word: str = "") -> list[Row]:
    return [(f"{word or label} {number}", label) for number in range(count)]


def pairs(rows: LabelledRows) -> list[Row]:
    return list(zip(rows.texts.to_pylist(), rows.labels.to_pylist(), strict=True))


def read(*inputs: Path, **settings) -> Splits:
    return read_splits(TrainConfig(inputs=inputs, **settings))


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_one_file_is_split_in_three_parts(tmp_path, name):
    rows = numbered("spam", 60) + numbered("ham", 40)
    splits = read(write(tmp_path / name, rows))
    assert splits.sizes() == {"training": 80, "validation": 10, "test": 10}
    assert sorted(pairs(splits.training) + pairs(splits.validation) + pairs(splits.test)) == sorted(
        rows
    )
    assert (splits.labels, splits.warnings) == (("ham", "spam"), [])
    assert label_counts(splits.test) == {"ham": 4, "spam": 6}


def test_the_seed_decides_and_the_format_does_not_matter(tmp_path):
    rows = numbered("a", 30) + numbered("b", 30)
    source, copy = write(tmp_path / "rows.csv", rows), write(tmp_path / "rows.parquet", rows)
    assert pairs(read(source).test) == pairs(read(copy).test)
    assert pairs(read(source).test) != pairs(read(source, seed=1).test)


def test_rows_without_a_label_are_left_out_where_that_is_asked_for(tmp_path):
    blank = [("refund", " "), ("card", ""), ("log in", "\t")]
    rows = [*numbered("a", 30), *blank, *numbered("b", 30)]
    source = write(tmp_path / "rows.csv", rows)
    with pytest.raises(DataError, match=r"3 of 63 rows .*: rows 31 to 33; .*--skip-unlabelled"):
        read(source)
    parts = read(source, skip_unlabelled=True)
    assert sum(parts.sizes().values()) == 60
    assert parts.warnings == [
        "3 training rows have no label; they are left out: rows 31 to 33",
    ]
    held_out = write(tmp_path / "test.csv", [*numbered("a", 3), ("x", ""), *numbered("b", 3)])
    parts = read(source, test=held_out, skip_unlabelled=True)
    assert "1 test rows have no label; they are left out: row 4" in parts.warnings


def test_several_files_are_read_as_one(tmp_path):
    first = write(tmp_path / "1.csv", numbered("a", 10))
    second = write(tmp_path / "2.parquet", numbered("b", 10))
    assert sum(read(first, second).sizes().values()) == 20


def test_texts_of_the_same_tokens_stay_together(tmp_path):
    spellings = ["Hello, {}", "hello {}!", "  HELLO\n{}", "ｈｅｌｌｏ {}"]
    rows = [
        (spelling.format(number), "ab"[number % 2])
        for number in range(50)
        for spelling in spellings
    ]
    splits = read(write(tmp_path / "rows.parquet", rows))
    numbers = [
        {text.rstrip("!").split()[-1] for text, _ in pairs(part)}
        for part in (splits.training, splits.validation, splits.test)
    ]
    assert [len(part) for part in numbers] == [40, 5, 5]
    assert len(set.union(*numbers)) == 50


def test_texts_of_other_tokens_are_kept_apart(tmp_path):
    rows = [("ab c", "x"), ("a bc", "x"), ("abc", "x"), *numbered("y", 3)]
    assert read(write(tmp_path / "rows.parquet", rows)).sizes() == {
        "training": 2,
        "validation": 2,
        "test": 2,
    }


@pytest.mark.parametrize(
    ("files", "sizes"),
    [
        (["validation"], {"training": 36, "validation": 3, "test": 4}),
        (["test"], {"training": 36, "validation": 4, "test": 3}),
        (["validation", "test"], {"training": 40, "validation": 3, "test": 3}),
    ],
)
def test_parts_with_a_file_of_their_own_take_no_training_rows(tmp_path, files, sizes):
    rows = numbered("a", 20) + numbered("b", 20)
    own = [("x 1", "a"), ("x 2", "b"), ("x 3", "b")]
    given = {name: write(tmp_path / f"{name}.csv", own) for name in files}
    splits = read(write(tmp_path / "rows.csv", rows), **given)
    assert splits.sizes() == sizes
    assert all(pairs(getattr(splits, name)) == own for name in files)
    assert set(pairs(splits.training)) <= set(rows)


def test_labels_that_training_never_saw_are_left_out_with_a_warning(tmp_path):
    rows = write(tmp_path / "rows.csv", numbered("a", 9) + numbered("b", 9))
    own = write(tmp_path / "own.csv", [("x", "a"), ("y", "new"), ("z", "other"), ("w", "b")])
    splits = read(rows, validation=own, test=own)
    assert pairs(splits.validation) == [("x", "a"), ("w", "b")]
    # The evaluation counts them itself.
    assert len(splits.test) == 4
    assert splits.labels == ("a", "b")
    assert splits.warnings == [
        f"2 {name} rows have labels that training never saw; they are left out"
        for name in ("validation", "test")
    ]


def test_rows_without_a_word_are_left_out_with_a_warning(tmp_path):
    blank: list[Row] = [(None, "a"), ("", "b"), (" \u3000\n", "a"), ("?!…", "rare")]
    rows = write(tmp_path / "rows.parquet", [*blank, *numbered("a", 9), *numbered("b", 9)])
    own = write(tmp_path / "own.parquet", [(None, "a"), ("x", "b")])
    splits = read(rows, validation=own)
    assert sum(splits.sizes().values()) == 19
    assert splits.labels == ("a", "b")
    assert pairs(splits.validation) == [("x", "b")]
    assert splits.warnings == [
        "4 training rows have no word in their text; they are left out",
        "1 validation rows have no word in their text; they are left out",
    ]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (numbered("a", 9), "9 rows with text have 1 labels, 0 of them on fewer than 3 rows"),
        (
            [*numbered("a", 9), *numbered("secret", 2), *numbered("b", 1)],
            "3 labels, 2 of them on fewer than 3 rows: 'b' .1., 'secret' .2.",
        ),
        (
            [("x", f"a text {n}") for n in range(9)] + numbered("a", 3) + numbered("b", 3),
            "15 rows with text have 11 labels, 9 of them on fewer than 3 rows",
        ),
        (
            [*numbered("a", 9), *numbered("b", 9), ("x", "a text of " + "secret " * 5)],
            "19 rows with text have 3 labels, 1 of them on fewer than 3 rows",
        ),
        ([("", "a"), ("...", "b")], "0 rows with text have 0 labels"),
        (
            [*numbered("a", 5), ("x", "b"), ("y", "b"), ("", "b")],
            "7 rows with text have 2 labels, 1 of them",
        ),
    ],
)
def test_too_few_labels_or_rows_of_a_label_are_refused(tmp_path, rows, reason):
    with pytest.raises(DataError, match=f"{reason}.*; give at least 2 labels") as caught:
        read(write(tmp_path / "rows.csv", rows))
    assert "text of" not in str(caught.value)
    assert "a text" not in str(caught.value)


def test_rows_of_rare_labels_are_left_out_or_folded_where_that_is_asked_for(tmp_path):
    rows = [*numbered("a", 30), *numbered("b", 30), *numbered("odd", 2), *numbered("rare", 4)]
    source = write(tmp_path / "rows.csv", rows)
    with pytest.raises(DataError, match=r"'odd' \(2\); .*--min-rows-per-label 3 .*--other LABEL"):
        read(source)
    splits = read(source, min_rows_per_label=5)
    assert splits.labels == ("a", "b")
    assert splits.left_out == {"rare_label": 6}
    (warning,) = splits.warnings
    assert warning.startswith("6 training rows of 2 labels with fewer than 5 rows: left out")
    assert warning.endswith("out: 'odd' (2), 'rare' (4)")
    (warning,) = read(source, min_rows_per_label=3).warnings
    assert warning == "2 training rows of 1 label with fewer than 3 rows: left out: 'odd' (2)"
    held_out = write(tmp_path / "test.csv", [*numbered("a", 3), ("x", "rare"), ("y", "never")])
    splits = read(source, test=held_out, min_rows_per_label=5, other="rest")
    assert splits.labels == ("a", "b", "rest")
    assert label_counts(splits.training)["rest"] == 5
    assert label_counts(splits.test) == {"a": 3, "never": 1, "rest": 1}
    assert splits.left_out == {}
    # Without a number, what would be an error is folded.
    assert read(source, other="a").labels == ("a", "b", "rare")


def test_spellings_of_a_label_are_merged_into_the_most_frequent_one(tmp_path):
    rows = [
        *numbered("refund", 20), *numbered("Refund ", 4), *numbered("REFUND", 3),
        *numbered("caf\xe9", 3), *numbered("cafe\u0301", 3), *numbered("other", 9),
    ]  # fmt: skip
    source = write(tmp_path / "rows.parquet", rows)
    apart = read(source)
    assert len(apart.labels) == 6
    (told,) = apart.warnings
    assert re.search(r"^5 of 6 .*'Refund ' \(4\), .*stay apart: --normalize-labels", told)
    assert r"'cafe\u0301' (3)" in told
    assert apart.spellings == [
        {"cafe\u0301": 3, "caf\xe9": 3}, {"refund": 20, "Refund ": 4, "REFUND": 3},
    ]  # fmt: skip
    test = write(tmp_path / "test.csv", [("x", "reFUND"), ("y", "Other"), ("z", "CAF\xc9")])
    splits = read(source, test=test, normalize_labels=True)
    assert splits.labels == ("cafe\u0301", "other", "refund")
    assert label_counts(splits.test) == {"cafe\u0301": 1, "other": 1, "refund": 1}
    assert splits.warnings[0].startswith(r"5 spellings are 2 labels: 'cafe\u0301' (3), ")


def test_a_rare_spelling_of_a_label_is_told_from_a_rare_label(tmp_path):
    rows = [*numbered("refund", 20), *numbered("refund ", 1), *numbered("other", 9)]
    source = write(tmp_path / "rows.csv", rows)
    with pytest.raises(DataError, match=r"'refund ' \(1\); .*; --normalize-labels merges"):
        read(source)
    (warning,) = read(source, normalize_labels=True).warnings
    assert warning == "2 spellings are 1 label: 'refund' (20), 'refund ' (1)"


def test_rows_that_cannot_be_read_are_listed_where_that_is_asked_for(tmp_path):
    lines = [b"text,label", *(b"a %d,a" % n for n in range(9)), b"one,two,three", b"caf\xe9,b"]
    first = tmp_path / "1.csv"
    first.write_bytes(b"\n".join([*lines, *(b"b %d,b" % n for n in range(9))]) + b"\n")
    second = tmp_path / "2.parquet"
    texts = pa.array([b"fine", b"caf\xe9", b"fine again", b"fine"], pa.binary())
    pq.write_table(pa.table({"text": texts, "label": ["a", "a", "b", "a"]}), second)
    with pytest.raises(DataError, match="is not UTF-8 at line 12"):
        read(first)
    with pytest.raises(DataError, match="--quarantine"):
        read(second)
    listed = tmp_path / "bad.jsonl"
    splits = read(first, second, quarantine=listed)
    found = [json.loads(line) for line in listed.read_text().splitlines()]
    assert found == [
        {"file": str(first), "row": 10, "reason": "wrong_cell_count"},
        {"file": str(first), "row": 11, "reason": "bad_utf8"},
        {"file": str(second), "row": 2, "reason": "bad_utf8"},
    ]
    assert sum(splits.sizes().values()) == 21
    assert splits.left_out == {"unreadable": 3}
    assert splits.warnings == [f"3 training rows cannot be read; they are left out: see {listed}"]
    numbers = [part.row_numbers for part in (splits.training, splits.validation, splits.test)]
    assert sorted(np.concatenate(numbers)) == [*range(1, 10), *range(12, 22), 23, 24]


def test_more_rows_that_cannot_be_read_than_allowed_end_it_and_list_nothing(tmp_path):
    path, listed = tmp_path / "rows.csv", tmp_path / "bad.jsonl"
    path.write_text(
        "text,label\n" + "".join(f"a {n},a\nb {n},b\n" for n in range(9)) + "one,two,three\n" * 2
    )
    assert read(path, quarantine=listed, max_bad_rows=2).left_out == {"unreadable": 2}
    listed.unlink()
    assert read(path, quarantine=listed, max_bad_rows="10%").left_out == {"unreadable": 2}
    listed.unlink()
    for limit in (1, "9%"):
        with pytest.raises(TooManyBadRowsError, match=f"2 of 20 rows are bad; .* allows {limit}"):
            read(path, quarantine=listed, max_bad_rows=limit)
        assert not listed.exists()
    with pytest.raises(ConflictError, match="add --quarantine FILE"):
        read(path, max_bad_rows=2)
    with pytest.raises(UsageError, match="--max-bad-rows is 'some'"):
        read(path, quarantine=listed, max_bad_rows="some")


def test_three_rows_of_two_labels_are_enough(tmp_path):
    splits = read(write(tmp_path / "rows.csv", numbered("a", 3) + numbered("b", 3)))
    assert [label_counts(part) for part in (splits.training, splits.validation, splits.test)] == [
        {"a": 1, "b": 1}
    ] * 3


def test_texts_too_alike_to_set_any_aside_are_refused(tmp_path):
    rows = write(tmp_path / "rows.csv", [("same", "a")] * 9 + [("other", "b")] * 9)
    with pytest.raises(DataError, match="is left for validation; give more rows with different"):
        read(rows)
    own = write(tmp_path / "own.csv", [("x", "a")])
    with pytest.raises(DataError, match=r"is left for test; .* another file with --test"):
        read(rows, validation=own)
    assert read(rows, validation=own, test=own).sizes()["training"] == 18


@pytest.mark.parametrize("own", [[("x", "new")], [("", "a")], [("", "a"), ("x", "new")]])
def test_files_without_a_usable_row_are_refused(tmp_path, own):
    rows = write(tmp_path / "rows.csv", numbered("a", 9) + numbered("b", 9))
    for name in ("validation", "test"):
        path = write(tmp_path / f"{name}.csv", own)
        with pytest.raises(DataError, match=f"is left for {name}; .* another file with --{name}"):
            read(rows, **{name: path})


def test_a_missing_file_is_named(tmp_path):
    rows = write(tmp_path / "rows.csv", numbered("a", 9) + numbered("b", 9))
    with pytest.raises(InputNotFoundError, match=r"gone\.csv"):
        read(rows, test=tmp_path / "gone.csv")


@pytest.mark.parametrize(
    "alike",
    [
        ["Refund", "refund"],
        ["refund", "refund "],
        ["re fund", "re  fund", "re\tfund"],
        ["caf\xe9", "cafe\u0301"],
        ["\ufb01ne", "fine"],
        ["a\xa0b", "a b"],
        ["STRASSE", "stra\xdfe"],
        ["refund", "re\u200bfund", "\ufeffrefund", "refund\xad", "\u2060refund\u3164"],
        ["\u2764", "\u2764\ufe0f"],
        ["1", "1.0", "1.00"],
        ["True", "true"],
    ],
)
def test_labels_that_nobody_tells_apart_stay_apart_with_a_warning(tmp_path, alike):
    rows = [row for label in ["other", *alike] for row in numbered(label, 5)]
    path = write(tmp_path / "rows.parquet", rows)
    splits = read(path)
    assert splits.labels == tuple(sorted(["other", *alike]))
    (warning,) = splits.warnings
    assert warning.startswith(f"{len(alike)} of {len(alike) + 1} labels differ from another one")
    assert "\u200b" not in warning
    merged = read(path, normalize_labels=True)
    assert len(merged.labels) == 2
    assert merged.spellings == splits.spellings == [dict.fromkeys(sorted(alike), 5)]


@pytest.mark.parametrize("length", [1001, 1 << 20])
def test_labels_that_are_texts_are_refused(tmp_path, length):
    rows = [row for label in ["other", "x" * length] for row in numbered(label, 5)]
    with pytest.raises(DataError, match="1 of 2 labels have more than 1,000 characters") as caught:
        read(write(tmp_path / "rows.parquet", rows))
    assert len(str(caught.value)) < 300
    assert not caught.value.retry


def test_flags_of_tags_are_labels_of_their_own(tmp_path):
    tags = {name: "".join(chr(0xE0000 + ord(one)) for one in name) for name in ("gbeng", "gbsct")}
    labels = [f"\U0001f3f4{one}\U000e007f" for one in tags.values()]
    rows = [row for label in labels for row in numbered(label, 5)]
    assert read(write(tmp_path / "rows.parquet", rows)).warnings == []


@pytest.mark.parametrize("blank", ["", " ", "\u3000", "\u200b", "\ufeff ", "\xad", "\u2800"])
def test_a_label_that_nobody_sees_is_missing(tmp_path, blank):
    rows = write(tmp_path / "rows.parquet", [*numbered("a", 5), *numbered("b", 5), ("x", blank)])
    with pytest.raises(DataError, match=r"1 of 11 rows have no label .*: row 11"):
        read(rows)
    assert read(rows, skip_unlabelled=True).left_out == {"unlabelled": 1}


@pytest.mark.parametrize("missing", ["nan", "None", "NULL", "<NA>"])
def test_a_label_that_reads_like_none_is_learned_with_a_warning(tmp_path, missing):
    rows = write(tmp_path / "rows.csv", [*numbered("a", 5), *numbered(missing, 5)])
    splits = read(rows)
    assert missing in splits.labels
    (warning,) = splits.warnings
    told = "5 training rows have a label that reads like a missing one"
    assert warning.startswith(f"{told}: '{missing}' (5); it is learned")


def test_labels_that_not_every_fold_has_a_row_of_are_named():
    assert few_for_folds({"a": 5, "b": 90}, 5) is None
    assert few_for_folds({"a": 3}, 0) is None
    told = few_for_folds({"odd": 4, "b": 90, "rare": 3}, 5)
    assert told
    assert told.startswith("2 labels have fewer rows than there are folds, 5: 'odd' (4), 'rare'")


def test_labels_that_are_alike_but_not_the_same_are_taken(tmp_path):
    labels = ["refund", "refunds", "re-fund", "x" * 1000]
    rows = [row for label in labels for row in numbered(label, 5)]
    assert read(write(tmp_path / "rows.parquet", rows)).labels == tuple(sorted(labels))
