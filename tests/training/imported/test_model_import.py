"""`textbatch import`: from files of Keras to answers."""

from __future__ import annotations

import json
import pickle

import joblib
import keras
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from support.bundles import run_cli

from textbatch.cli.demo.tickets import labelled_tickets
from textbatch.model.bundle.bundle import load_bundle

legacy = pytest.importorskip("keras.src.legacy.preprocessing.text")
layers, LENGTH = keras.layers, 12


@pytest.fixture(scope="module")
def rows():
    tickets = labelled_tickets(200, seed=3)
    return pd.DataFrame(
        {"text": one.text, "label": "cab"[number % 3]}
        for number, one in enumerate(tickets)
        if one.text and one.text.strip()
    )


@pytest.fixture(scope="module")
def labels(rows):
    return sorted(rows["label"].unique())


def made(folder, rows, labels, *, mask=True, padding="pre", suffix="keras", **tokenizing):
    """Files as a script that knows nothing of textbatch leaves them, and its answers."""
    tokenizer = legacy.Tokenizer(**{"num_words": 300, **tokenizing})
    tokenizer.fit_on_texts(rows["text"])
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.Input((LENGTH,)),
            layers.Embedding(
                301, 8, mask_zero=mask, embeddings_initializer=keras.initializers.RandomNormal(0, 1)
            ),
            layers.GRU(6, return_sequences=True),
            layers.LSTM(5),
            layers.Dense(len(labels), activation="softmax"),
        ]
    )
    network.save(folder / f"network.{suffix}")
    with (folder / "tokenizer.pickle").open("wb") as file:
        pickle.dump(tokenizer, file)
    joblib.dump(tokenizer, folder / "tokenizer.joblib", compress=3)
    (folder / "tokenizer.json").write_text(tokenizer.to_json())
    (folder / "labels.txt").write_text("\n".join(labels))
    rows.to_parquet(folder / "rows.parquet")
    sequences = tokenizer.texts_to_sequences(rows["text"])
    padded = keras.utils.pad_sequences(sequences, maxlen=LENGTH, padding=padding)
    return np.asarray(network(padded, training=False)), [bool(s) for s in sequences]


def imported(folder, *words, tokenizer="tokenizer.pickle", suffix="keras"):
    files = ("--keras", folder / f"network.{suffix}", "--tokenizer", folder / tokenizer)
    return run_cli("import", *files, "--model", folder / "model", *words)


def scored(folder):
    run = run_cli(
        "score", folder / "rows.parquet", folder / "out.parquet", "--model", folder / "model",
        "--probabilities", "--overwrite",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return pq.read_table(folder / "out.parquet").to_pandas()


@pytest.mark.parametrize(
    ("suffix", "tokenizer", "options"),
    [
        ("keras", "tokenizer.pickle", {}),
        ("h5", "tokenizer.joblib", {"padding": "post", "oov_token": "<OOV>"}),
        ("keras", "tokenizer.json", {"mask": False}),
        ("h5", "tokenizer.pickle", {"mask": False, "padding": "post", "lower": False}),
        ("keras", "tokenizer.joblib", {"char_level": True}),
    ],
)
def test_it_answers_as_keras_does(tmp_path, rows, labels, suffix, tokenizer, options):
    theirs, known = made(tmp_path, rows, labels, suffix=suffix, **options)
    run = imported(
        tmp_path, "--labels", tmp_path / "labels.txt", "--padding", options.get("padding", "pre"),
        tokenizer=tokenizer, suffix=suffix,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert ("reads padding as if it were words" in run.stderr) is (options.get("mask") is False)
    assert "not calibrated" in run.stderr
    out = scored(tmp_path)
    assert out["predicted_label"].notna().tolist() == known
    ours = np.stack(out["probabilities"][known])
    np.testing.assert_allclose(ours, theirs[known], rtol=0, atol=1e-5)
    assert out["predicted_label"][known].tolist() == [labels[n] for n in theirs[known].argmax(1)]


def test_labelled_rows_calibrate_it(tmp_path, rows, labels):
    made(tmp_path, rows, labels)
    run = imported(
        tmp_path, "--labels", tmp_path / "labels.txt", "--calibrate", tmp_path / "rows.parquet",
        "--json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert told["calibration"]["rows"] == told["rows"] > 100
    assert load_bundle(tmp_path / "model").classifier.temperature != 1.0
    assert "not calibrated" not in run.stderr
    assert run_cli("inspect", tmp_path / "model").returncode == 0
    assert run_cli("predict", "where is my refund", "--model", tmp_path / "model").returncode == 0


def test_rows_without_a_label_do_not_calibrate(tmp_path, rows, labels):
    made(tmp_path, rows, labels)
    some = rows.assign(label=rows["label"].where(rows.index % 3 > 0))
    some.to_parquet(tmp_path / "some.parquet")
    run = imported(
        tmp_path, "--labels", tmp_path / "labels.txt", "--calibrate", tmp_path / "some.parquet",
        "--json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert 0 < json.loads(run.stdout)["rows"] <= some["label"].notna().sum()


def test_min_precision_without_calibration_names_calibrate(tmp_path, rows, labels):
    made(tmp_path, rows, labels)
    assert imported(tmp_path).returncode == 0
    run = run_cli(
        "score", tmp_path / "rows.parquet", tmp_path / "out.parquet", "--model", tmp_path / "model",
        "--min-precision", "0.9",
    )  # fmt: skip
    assert (run.returncode, "`import` it again with --calibrate" in run.stderr) == (69, True)


def test_without_labels_outputs_have_their_numbers(tmp_path, rows, labels):
    made(tmp_path, rows, labels)
    run = imported(tmp_path)
    assert run.returncode == 0, run.stderr
    assert "name them with --labels" in run.stderr
    assert load_bundle(tmp_path / "model").labels == tuple(map(str, range(len(labels))))


def test_what_does_not_fit_is_told_and_nothing_is_written(tmp_path, rows, labels):
    made(tmp_path, rows, labels)
    few, other = tmp_path / "few.txt", tmp_path / "other.pickle"
    few.write_text("a\nb\nc\nd\ne\nf\ng\n")
    other.write_bytes(pickle.dumps({"a": 1}))
    (tmp_path / "saved").mkdir()
    alike, long = tmp_path / "alike.json", tmp_path / "long.json"
    alike.write_text(json.dumps([*labels[:-1], f" {labels[0].upper()}"]))
    long.write_text(json.dumps([*labels[:-1], "x" * 1001]))
    code = tmp_path / "code.pickle"
    code.write_bytes(b"cos\nsystem\n(S'touch " + bytes(tmp_path / "ran") + b"'\ntR.")
    for words, exit_code, told in (
        (("--labels", few), 66, "7 labels"),
        (("--labels", alike), 66, "the same but for upper case"),
        (("--labels", long), 66, "more than 1,000 characters"),
        (("--labels", tmp_path / "none.txt"), 68, "does not exist"),
        (("--tokenizer", other), 66, "holds no Tokenizer"),
        (("--tokenizer", code), 66, "nothing of it was run"),
        (("--keras", tmp_path / "saved"), 66, "SavedModel"),
        (("--keras", tmp_path / "labels.txt"), 66, "neither a .keras nor an .h5"),
        (("--max-sequence-length", 7), 2, "has 12 tokens"),
    ):
        run = imported(tmp_path, *words)
        assert run.returncode == exit_code, (words, run.stderr)
        assert told in run.stderr, run.stderr
        assert not (tmp_path / "model").exists()
    assert not (tmp_path / "ran").exists()


def test_a_model_that_is_there_stays(tmp_path, rows, labels):
    made(tmp_path, rows, labels)
    assert imported(tmp_path).returncode == 0
    run = imported(tmp_path)
    assert (run.returncode, "--overwrite" in run.stderr) == (73, True)
    assert imported(tmp_path, "--overwrite").returncode == 0


def test_int8_and_tensorflow_are_refused_for_a_chain(tmp_path, rows, labels):
    made(tmp_path, rows, labels, mask=False)
    assert imported(tmp_path).returncode == 0
    for words in (("--precision", "int8"), ("--engine", "tensorflow")):
        run = run_cli(
            "score", tmp_path / "rows.parquet", tmp_path / "o.parquet", "--model",
            tmp_path / "model", *words,
        )  # fmt: skip
        assert run.returncode == 64 if words[0] == "--engine" else run.returncode, run.stderr
        assert "leave" in run.stderr
        assert not (tmp_path / "o.parquet").exists()
