"""Files that Keras 2.12, Keras 2.14 and Keras-Preprocessing saved themselves.

`tests/support/make_old_keras_files.py` made them in environments with these releases.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import textbatch
from textbatch.model.keras_files.tokenizer_file import read_tokenizer

OLD = Path(__file__).parents[2] / "model" / "keras_files" / "old"
RELEASES = ("keras-2.12", "keras-2.14")
TOKENIZERS = ("tokenizer.pickle", "tokenizer.joblib", "tokenizer.json")
NETWORKS = [
    *((name, suffix) for name in ("question", "unmasked", "both-ways", "convolution")
      for suffix in ("keras", "h5")),
    ("vectorization", "keras"),
]  # fmt: skip


def told(release):
    return json.loads((OLD / release / "expected.json").read_text())


@pytest.mark.parametrize("suffix", [name.partition(".")[2] for name in TOKENIZERS])
@pytest.mark.parametrize("release", [*RELEASES, "keras-preprocessing"])
def test_tokenizers(release, suffix):
    found = read_tokenizer(OLD / release / f"tokenizer.{suffix}")
    same = read_tokenizer(OLD / RELEASES[0] / TOKENIZERS[0])
    assert found == same
    assert found.word_index["refund"] > 1


def test_they_come_from_the_modules_that_they_are_for():
    assert [told(one)["module"] for one in (*RELEASES, "keras-preprocessing")] == [
        "keras.preprocessing.text",
        "keras.src.preprocessing.text",
        "keras_preprocessing.text",
    ]


@pytest.mark.parametrize(("name", "suffix"), NETWORKS)
@pytest.mark.parametrize("release", RELEASES)
def test_networks_answer_as_they_did(release, name, suffix, tmp_path):
    expected = told(release)
    answers = expected["probabilities"][name]
    by_itself = name == "vectorization"
    report = textbatch.import_keras(
        OLD / release / f"{name}.{suffix}",
        None if by_itself else OLD / release / TOKENIZERS[len(suffix) % 3],
        model=tmp_path / "model",
        padding=answers["padding"],
    )
    assert report.keras == expected["version"]
    assert any("padding" in one for one in report.warnings) is not answers["mask"]
    with textbatch.load(tmp_path / "model", threads=1) as model:
        found = model.predict(expected["texts"]).probabilities
    answered = ~np.isnan(found[:, 0])
    assert answered.sum() >= 6
    theirs = np.array(answers["answers"])
    assert np.ptp(theirs, axis=0).max() > 0.01
    np.testing.assert_allclose(found[answered], theirs[answered], rtol=0, atol=1e-5)
