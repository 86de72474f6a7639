"""Files as old releases of Keras save them; the tests keep them, because those hardly install.

In an environment with `tensorflow-cpu==2.12.*` (or 2.14.*, or `tf_keras`) and joblib, which needs
nothing of textbatch:

    python tests/support/make_old_keras_files.py tests/model/keras_files/old/keras-2.12

With only `Keras-Preprocessing` installed, it writes tokenizers alone.
"""

from __future__ import annotations

import importlib
import json
import pickle
import sys
from pathlib import Path

import joblib
import numpy as np

TEXTS = [
    "Where is my refund?", "the app is slow (again)", "don't charge me twice!", "zzz qqq refund",
    "my my my app app is is the the refund and twice again slow", "Naïve éclair",
    "is\tthe app\nslow", "REFUND!",
]  # fmt: skip
LENGTH, WORDS, LABELS = 7, 24, 3


def home() -> tuple[object | None, object]:
    """Keras, and the module of its Tokenizer."""
    for name, text in (
        ("tf_keras", "tf_keras.preprocessing.text"),
        ("tensorflow.keras", None),
        (None, "keras_preprocessing.text"),
    ):
        try:
            keras = importlib.import_module(name) if name else None
            if name == "tensorflow.keras":
                import tensorflow

                keras = tensorflow.keras
                return keras, keras.preprocessing.text
            return keras, importlib.import_module(text)
        except ImportError:
            continue
    raise SystemExit("no Keras here")


def version(keras: object) -> str:
    """The version of Keras, which `tensorflow.keras` does not always tell."""
    name = "tf_keras" if keras.__name__.startswith("tf_keras") else "keras"
    return importlib.import_module(name).__version__


def chains(layers: object) -> dict[str, tuple[bool, str, list[object]]]:
    """The networks: mask, padding, and the layers behind the embedding."""
    return {
        "question": (
            True,
            "pre",
            [
                layers.SpatialDropout1D(0.2),
                layers.GRU(4, return_sequences=True, reset_after=False),
                layers.Dropout(0.2),
                layers.LSTM(4),
                layers.Dense(4, activation="relu"),
            ],
        ),
        "unmasked": (
            False,
            "pre",
            [layers.GRU(4, return_sequences=True), layers.LSTM(4)],
        ),
        "both-ways": (
            True,
            "post",
            [
                layers.Bidirectional(layers.GRU(4, return_sequences=True), merge_mode="sum"),
                layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
                layers.GlobalAveragePooling1D(),
            ],
        ),
        "convolution": (
            False,
            "post",
            [
                layers.Conv1D(4, 3, activation="relu", padding="same"),
                layers.BatchNormalization(),
                layers.GlobalMaxPooling1D(),
                layers.Dense(4, activation="tanh"),
            ],
        ),
    }


def main(folder: Path) -> None:
    """Write them."""
    folder.mkdir(parents=True, exist_ok=True)
    keras, text = home()
    tokenizer = text.Tokenizer(num_words=WORDS, oov_token="<oov>")
    tokenizer.fit_on_texts(TEXTS[:5])
    with (folder / "tokenizer.pickle").open("wb") as file:
        pickle.dump(tokenizer, file)
    joblib.dump(tokenizer, folder / "tokenizer.joblib", compress=("xz", 3))
    (folder / "tokenizer.json").write_text(tokenizer.to_json())
    told = {
        "module": type(tokenizer).__module__,
        "texts": TEXTS,
        "sequences": tokenizer.texts_to_sequences(TEXTS),
    }
    if keras:
        told["version"] = version(keras)
        told["probabilities"] = networks(folder, keras, told["sequences"])
    content = json.dumps(told, ensure_ascii=False, indent=1)
    (folder / "expected.json").write_text(content + "\n")


def networks(folder: Path, keras: object, sequences: list[list[int]]) -> dict[str, object]:
    """Write networks, as `.keras` and `.h5`; return their probabilities."""
    layers, found = keras.layers, {}
    random = np.random.default_rng(5)

    def finished(network: object) -> object:
        for weight in network.weights:
            if hasattr(weight, "assign") and weight.dtype == "float32":
                wide = random.normal(0, 0.6, weight.shape)
                positive = random.uniform(0.5, 2, weight.shape)
                weight.assign(positive if "variance" in weight.name else wide)
        return network

    def save(network: object, name: str, suffixes: tuple[str, ...]) -> None:
        for suffix in suffixes:
            # Keras 2.12 writes HDF5 into `.keras` files, except under this name of the format.
            new = "keras_v3" if version(keras).startswith("2.12") else "keras"
            form = {"save_format": new} if suffix == "keras" else {}
            network.save(folder / f"{name}.{suffix}", **form)

    def last() -> object:
        return layers.Dense(LABELS, activation="softmax")

    for name, (mask, padding, body) in chains(layers).items():
        network = finished(
            keras.Sequential(
                [
                    layers.Embedding(WORDS, 4, mask_zero=mask, input_length=LENGTH),
                    *body,
                    last(),
                ]
            )
        )
        save(network, name, ("keras", "h5"))
        padded = keras.preprocessing.sequence.pad_sequences(
            sequences, maxlen=LENGTH, padding=padding
        )
        answers = np.asarray(network(padded, training=False))
        found[name] = {"mask": mask, "padding": padding, "answers": answers.tolist()}
    words = layers.TextVectorization(max_tokens=WORDS, output_sequence_length=LENGTH)
    words.adapt(TEXTS[:5])
    embedding = layers.Embedding(WORDS, 4, mask_zero=True)
    shape = keras.Input(shape=(1,), dtype="string")
    network = finished(keras.Sequential([shape, words, embedding, layers.GRU(4), last()]))
    save(network, "vectorization", ("keras",))
    texts = np.array(TEXTS, dtype=object)[:, None]
    answers = np.asarray(network.predict(texts, verbose=0))
    found["vectorization"] = {"mask": True, "padding": "post", "answers": answers.tolist()}
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
