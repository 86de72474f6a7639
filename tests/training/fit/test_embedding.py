from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textbatch.errors import ConflictError, DataError, InputNotFoundError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.fitting.settings import FitSettings
from textbatch.model.network.architecture import Dropout, RecurrentLayer
from textbatch.model.vectors.types import VectorSettings
from textbatch.report.listener import MessagesOnly
from textbatch.report.training import TrainReport
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score
from textbatch.training.config.train import TrainConfig
from textbatch.training.recipes.presets import RECIPES, Recipe
from textbatch.training.train import train

QUICK = Recipe(
    layers=(RecurrentLayer(cell="gru", units=12), RecurrentLayer(cell="lstm", units=12)),
    dense_units=12,
    vectors=VectorSettings(dim=12, window=3, epochs=8),
    dropout=Dropout(channels=0.1, between=0.1, last_input=0.1),
    fit=FitSettings(learning_rate=0.01, batch_size=16, max_epochs=8),
)
TOPICS = {
    "billing": ("refund", "invoice", "charge", "card"),
    "shipping": ("parcel", "courier", "delivery", "late"),
}
# Words that no labelled text holds.
UNSEEN = {"billing": ("reimbursement", "receipt"), "shipping": ("shipment", "postman")}
FILLERS = ("the", "a", "my", "is", "of", "please", "help", "with")


def texts_about(words: tuple[str, ...], rows: int, seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    return [
        " ".join(random.permutation([*random.choice(words, 3), *random.choice(FILLERS, 4)]))
        for _ in range(rows)
    ]


@pytest.fixture(scope="module", autouse=True)
def quick_recipe():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "default", QUICK)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Labelled and unlabelled texts, and vectors in which a topic's words are near each other."""
    path = tmp_path_factory.mktemp("lexicon")
    texts = [(text, name) for name, words in TOPICS.items() for text in texts_about(words, 120, 0)]
    texts.append(("the once", "billing"))
    pq.write_table(
        pa.table({"text": [text for text, _ in texts], "label": [name for _, name in texts]}),
        path / "labelled.parquet",
    )
    held_out = [("refund heldout heldout please", "billing")] * 20 + [("late parcel", "shipping")]
    pq.write_table(
        pa.table({"text": [text for text, _ in held_out], "label": [name for _, name in held_out]}),
        path / "test.parquet",
    )
    topics = [(*TOPICS[name], *UNSEEN[name]) for name in TOPICS]
    lines = [line for words in topics for line in texts_about(words, 300, 1)]
    (path / "unlabelled.txt").write_text("\n".join(lines))
    random = np.random.default_rng(0)
    rows = [(word, random.normal(0, 1, 6)) for word in FILLERS]
    for number, words in enumerate(topics):
        rows += [(w, random.normal(0, 0.3, 6) + 4 * np.eye(6)[number]) for w in words]
    rows.append(("Once", np.ones(6)))
    body = "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in rows)
    (path / "general.vec").write_text(f"{len(rows)} 6\n{body}")
    return path


def config_of(folder: Path, model: Path, **settings) -> TrainConfig:
    return TrainConfig(
        inputs=(folder / "labelled.parquet",),
        model=model,
        test=folder / "test.parquet",
        # The vectors are made before any fold is.
        quick=True,
        **settings,
    )


@pytest.fixture(scope="module")
def with_both(folder, tmp_path_factory) -> TrainReport:
    config = config_of(
        folder,
        tmp_path_factory.mktemp("both") / "model",
        vectors=(folder / "general.vec",),
        unlabelled=(folder / "unlabelled.txt",),
    )
    return train(config)


def labels_of(texts: list[str], model: str, folder: Path) -> list[str | None]:
    pq.write_table(pa.table({"text": texts}), folder / "in.parquet")
    score(
        ScoreConfig(
            inputs=(folder / "in.parquet",), output=folder / "out.parquet", model=Path(model)
        )
    )
    return pq.read_table(folder / "out.parquet")["predicted_label"].to_pylist()


def test_words_that_training_never_saw_mean_something_at_scoring(with_both, tmp_path):
    texts = [" ".join([*words, *words]) for words in UNSEEN.values()]
    assert labels_of(texts, with_both.model, tmp_path) == list(UNSEEN)


def test_pretrained_vectors_alone_do_it_too(folder, tmp_path):
    report = train(config_of(folder, tmp_path / "model", vectors=(folder / "general.vec",)))
    texts = [" ".join([*words, *words]) for words in UNSEEN.values()]
    assert labels_of(texts, report.model, tmp_path) == list(UNSEEN)


def test_the_embedding_has_a_part_for_each_source_and_the_kept_words_last(with_both):
    bundle = load_bundle(Path(with_both.model))
    assert bundle.classifier.architecture.embedding_dim == 12 + 6
    unseen = {word for words in UNSEEN.values() for word in words}
    assert set(bundle.classifier.vocabulary.words()[-4:]) == unseen
    # Seen but once, which is too rare to learn without a vector.
    assert "once" in bundle.classifier.vocabulary.words()


def test_fine_tuning_leaves_the_kept_words_where_they_were(with_both, folder):
    bundle = load_bundle(Path(with_both.model))
    lines = (folder / "general.vec").read_text().splitlines()[1:]
    given = {line.split()[0]: np.array(line.split()[1:], float) for line in lines}
    kept = bundle.classifier.weights.tensors["embedding"][-4:, 12:]
    words = bundle.classifier.vocabulary.words()[-4:]
    ratios = [row / given[word] for word, row in zip(words, kept, strict=True)]
    assert np.allclose(ratios, np.mean(ratios), rtol=1e-4)


def test_coverage_stands_in_report_and_bundle(with_both):
    coverage = with_both.vectors
    assert [source.name for source in coverage.sources] == ["in-domain", "general.vec"]
    assert coverage.vocabulary == coverage.sources[1].vocabulary == 1.0
    assert coverage.kept_words == 4
    stored = load_bundle(Path(with_both.model)).metrics["vectors"]
    assert stored == json.loads(json.dumps(with_both.to_dict()))["vectors"]


def test_the_same_seed_gives_the_same_fingerprint(with_both, folder, tmp_path):
    again = train(
        config_of(
            folder,
            tmp_path / "model",
            vectors=(folder / "general.vec",),
            unlabelled=(folder / "unlabelled.txt",),
        )
    )
    assert again.fingerprint == with_both.fingerprint


def test_held_out_texts_give_no_vectors(with_both):
    assert "heldout" not in load_bundle(Path(with_both.model)).classifier.vocabulary.words()


@pytest.mark.parametrize("keep", [0, 1])
def test_only_so_many_words_are_kept(folder, tmp_path, keep):
    config = config_of(
        folder, tmp_path / "model", unlabelled=(folder / "unlabelled.txt",), keep_vectors=keep
    )
    assert train(config).vectors.kept_words == keep


def test_undecodable_unlabelled_texts_are_told(folder, tmp_path):
    (tmp_path / "bad.txt").write_bytes(b"the refund\n\xff\xfe\n")
    report = train(config_of(folder, tmp_path / "model", unlabelled=(tmp_path / "bad.txt",)))
    assert "1 unlabelled texts are not valid UTF-8; they are left out" in report.warnings


def test_wrong_files_end_the_run_before_anything_is_trained(folder, tmp_path):
    (tmp_path / "a.vec").write_bytes(pickle.dumps({"the": 1}))
    (tmp_path / "wide.vec").write_text("1 4090\nthe" + " 1" * 4090)
    for vectors, unlabelled, error in (
        ((tmp_path / "a.vec",), (), DataError),
        ((tmp_path / "no.vec",), (), InputNotFoundError),
        ((tmp_path / "wide.vec",), (), ConflictError),
        ((), (tmp_path / "no.txt",), InputNotFoundError),
    ):
        said: list[str] = []
        with pytest.raises(error):
            train(
                config_of(folder, tmp_path / "model", vectors=vectors, unlabelled=unlabelled),
                listener=MessagesOnly(said.append),
            )
        assert len(said) == 1
    assert not (tmp_path / "model").exists()
