"""Names of integer labels in the footer of Hugging Face's Parquet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.data.readers.class_labels import LabelChoice
from textbatch.data.readers.labelled import read_labelled
from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.data.readers.read_options import ReadOptions
from textbatch.errors import DataError
from textbatch.scoring.diff.diff import diff
from textbatch.scoring.diff.options import DiffConfig

NAMES = ["World", "Sports", "Business", "Sci/Tech"]


def flat(names: object = NAMES) -> dict[str, object]:
    return {"names": names, "_type": "ClassLabel"}


def write(path: Path, labels: pa.Array, feature: object, **beside: pa.Array) -> Path:
    """A Parquet file as `datasets` writes it."""
    info = {"features": {"text": {"dtype": "string", "_type": "Value"}, "label": feature}}
    footer = {"huggingface": json.dumps({"info": info})}
    texts = pa.array([f"text {row}" for row in range(len(labels))])
    table = pa.table({"text": texts, "label": labels, **beside})
    pq.write_table(table.replace_schema_metadata(footer), path)
    return path


def read(path: Path, *, skip_unlabelled: bool = False, **choice: object) -> LabelledRows:
    return read_labelled(
        [path],
        ReadOptions(),
        text_column="text",
        label_column=LabelChoice(column="label", **choice),
        skip_unlabelled=skip_unlabelled,
    )


@pytest.mark.parametrize("kind", [pa.int64(), pa.int8(), pa.uint8(), pa.uint64()])
@pytest.mark.parametrize(
    "feature",
    [
        flat(),
        {"num_classes": 4, "names": NAMES, "names_file": None, "id": None, "_type": "ClassLabel"},
        {"class_label": {"names": NAMES}},
        {"dtype": {"class_label": {}}, "class_label": {"names": dict(enumerate(NAMES))}},
    ],
)
def test_integers_get_their_names(tmp_path, kind, feature):
    path = write(tmp_path / "in.parquet", pa.array([3, 0, 1, 0], kind), feature)
    assert read(path).labels.to_pylist() == ["Sci/Tech", "World", "Sports", "World"]
    assert read(path, naming="off").labels.to_pylist() == ["3", "0", "1", "0"]


def test_integers_in_a_dictionary_get_their_names(tmp_path):
    column = pa.array([3, 0, None, 0], pa.int32()).dictionary_encode()
    path = write(tmp_path / "in.parquet", column, flat())
    found = read(path, skip_unlabelled=True)
    assert found.labels.to_pylist() == ["Sci/Tech", "World", "World"]


def test_minus_one_is_a_missing_label(tmp_path):
    path = write(tmp_path / "in.parquet", pa.array([0, -1, None, 1]), flat())
    with pytest.raises(DataError, match=r"2 of 4 rows have no label .*: rows 2 to 3"):
        read(path)
    found = read(path, skip_unlabelled=True)
    assert found.labels.to_pylist() == ["World", "Sports"]
    assert found.left_out.tolist() == [2, 3]
    assert read(path, naming="off", skip_unlabelled=True).labels.to_pylist() == ["0", "-1", "1"]


@pytest.mark.parametrize("labels", [[0, 4, 4], [0, -2, 1000]])
def test_integers_without_a_name_are_refused(tmp_path, labels):
    path = write(tmp_path / "in.parquet", pa.array(labels), flat())
    with pytest.raises(DataError, match=r"2 integers .* from 0 to 3; .*--label-names off") as told:
        read(path)
    assert told.value.exit_code == 65
    assert read(path, naming="off").labels.to_pylist() == list(map(str, labels))


@pytest.mark.parametrize("names", [["a", "a"], [], None, [1, 2], {"0": "a", "2": "b"}, "ab"])
def test_names_that_cannot_be_used_are_refused(tmp_path, names):
    path = write(tmp_path / "in.parquet", pa.array([0, 1]), flat(names))
    with pytest.raises(DataError, match=r"column 'label' has names .*--label-names off"):
        read(path)
    assert read(path, naming="off").labels.to_pylist() == ["0", "1"]


@pytest.mark.parametrize(
    "feature", [{"dtype": "int64", "_type": "Value"}, None, [], "ClassLabel", {"class_label": 1}]
)
def test_other_features_name_nothing(tmp_path, feature):
    path = write(tmp_path / "in.parquet", pa.array([0, 1]), feature)
    assert read(path).labels.to_pylist() == ["0", "1"]


@pytest.mark.parametrize("footer", ["", "{", "[]", '{"info": 1}', "[" * 5000])
def test_a_footer_of_another_form_names_nothing(tmp_path, footer):
    path = tmp_path / "in.parquet"
    table = pa.table({"text": ["a", "b"], "label": [0, 1]})
    pq.write_table(table.replace_schema_metadata({"huggingface": footer}), path)
    assert read(path).labels.to_pylist() == ["0", "1"]


def test_labels_that_are_texts_already_stay(tmp_path):
    path = write(tmp_path / "in.parquet", pa.array(["0", "odd"]), flat())
    assert read(path).labels.to_pylist() == ["0", "odd"]


def test_a_model_of_the_integers_is_asked_by_them(tmp_path):
    path = write(tmp_path / "in.parquet", pa.array([0, 1, -1]), flat())
    assert read(path, known=("0", "1")).labels.to_pylist() == ["0", "1", "-1"]
    found = read(path, known=("Sports", "0"), skip_unlabelled=True)
    assert found.labels.to_pylist() == ["World", "Sports"]
    found = read(path, known=("spam",), skip_unlabelled=True)
    assert found.labels.to_pylist() == ["World", "Sports"]


def test_files_with_and_without_names_are_read_together(tmp_path):
    write(tmp_path / "1.parquet", pa.array([0, 1]), flat())
    (tmp_path / "2.csv").write_text("text,label\na,World\nb,Sports\n")
    found = read_labelled(
        [tmp_path / "1.parquet", tmp_path / "2.csv"],
        ReadOptions(), text_column="text", label_column="label",
    )  # fmt: skip
    assert found.labels.to_pylist() == ["World", "Sports"] * 2


def answers(labels: Sequence[str]) -> dict[str, pa.Array]:
    return {
        "predicted_label": pa.array(labels),
        "confidence": pa.array([0.9] * len(labels), pa.float32()),
        "status": pa.array(["ok"] * len(labels)),
    }


@pytest.mark.parametrize("naming", ["auto", "off"])
@pytest.mark.parametrize("key", [None, ("id",)])
def test_diff_names_the_true_labels(tmp_path, naming, key):
    pytest.importorskip("scipy")  # of the extra `train`, as the comparison with the truth

    def compared(**options: object) -> tuple[int, float | None]:
        found = diff(DiffConfig.given({"old": old, "new": new, "label_names": naming, **options}))
        return found.true_rows, found.new.accuracy

    true = pa.array([0, 1, -1, 2], pa.int64())
    ids = pa.array(["a", "b", "c", "d"])
    old, new = tmp_path / "old.parquet", tmp_path / "new.parquet"
    write(old, true, flat(), id=ids, **answers(["World", "World", "World", "World"]))
    write(new, true, flat(), id=ids, **answers(["World", "Sports", "World", "World"]))
    given = {"key": key} if key else {}
    right = (3, 2 / 3) if naming == "auto" else (4, 0.0)
    assert compared(truth=write(tmp_path / "t.parquet", true, flat(), id=ids), **given) == right
    assert compared(label_column="label", **given) == right
