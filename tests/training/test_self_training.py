from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from support.training import config_of, labelled_table

from textbatch.data.readers import unlabelled
from textbatch.data.readers.read_options import ReadOptions
from textbatch.data.readers.unlabelled import UnlabelledFiles
from textbatch.errors import ConflictError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.fitting import fit as fitting
from textbatch.report.listener import MessagesOnly
from textbatch.report.training import TrainReport
from textbatch.training import calibrate as calibrating
from textbatch.training import self_training
from textbatch.training.train import train

pytestmark = pytest.mark.usefixtures("quick_recipe")


@pytest.fixture(scope="module")
def labelled_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("labelled") / "labelled.parquet"
    pq.write_table(labelled_table(120, seed=0), path)
    return path


@pytest.fixture(scope="module")
def others(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("others") / "others.parquet"
    pq.write_table(labelled_table(400, seed=7).select(["body"]), path)
    return path


@pytest.fixture(scope="module")
def plain(labelled_file, others, tmp_path_factory) -> TrainReport:
    model = tmp_path_factory.mktemp("plain") / "model"
    return train(config_of(labelled_file, model, unlabelled=(others,)))


def texts_of(path: Path, without: list[pa.Array], most: int = 10_000, seed: int = 0) -> list[str]:
    files = UnlabelledFiles(inputs=[path], options=ReadOptions(), text_column="body")
    found = files.sample(most, known=without, seed=seed)
    return found.to_pylist()


@pytest.mark.parametrize("kept", [True, False])
def test_the_second_network_is_kept_where_the_validation_loss_falls_enough(
    kept, labelled_file, others, plain, tmp_path, monkeypatch
):
    monkeypatch.setattr(self_training, "MARGIN", -9.0 if kept else 9.0)
    fitted = []

    class Noted(fitting.Fit):
        def __init__(self, network, training, validation, **settings):
            super().__init__(network, training, validation, **settings)
            fitted.append((training(1), validation))

    monkeypatch.setattr(fitting, "Fit", Noted)
    said: list[str] = []
    config = config_of(labelled_file, tmp_path / "m", unlabelled=(others,), self_train=True)
    report = train(config, listener=MessagesOnly(said.append))
    found = report.self_training
    assert found is not None
    (first, validation), (second, same_validation) = fitted
    assert found.kept is kept
    assert found.texts == 2 * report.rows["training"]
    assert 0 < found.rows <= 0.6 * found.texts
    assert len(second.label_ids) == len(first.label_ids) + found.rows
    assert np.array_equal(validation.label_ids, same_validation.label_ids)
    # An answer counts half of a label: rows of the same label differ by the factor alone.
    label = second.label_ids[0]
    weights = second.weights[second.label_ids == label]
    assert weights.max() == pytest.approx(2 * weights.min())
    assert second.weights.mean() == pytest.approx(1, abs=1e-5)
    assert any(line.startswith(f"self-training on {found.rows}") for line in said)
    metrics = load_bundle(config.model).metrics
    assert metrics["self_training"] == asdict(found)
    models = (config.model, Path(plain.model))
    weights = [(path / "weights.safetensors").read_bytes() for path in models]
    assert (weights[0] != weights[1]) is kept
    assert plain.self_training is None


def test_texts_of_labelled_rows_are_left_out_however_they_are_spaced(tmp_path):
    texts = ["a  parcel is LATE", "my card", None, "  ", "the screen", "My  card!", "another"]
    pq.write_table(pa.table({"body": texts}), tmp_path / "texts.parquet")
    found = texts_of(tmp_path / "texts.parquet", [pa.array(["A parcel is late"])])
    assert found == ["my card", "the screen", "another"]


def test_a_text_that_comes_often_is_no_likelier(tmp_path, monkeypatch):
    monkeypatch.setattr(unlabelled, "CHUNK_ROWS", 100)
    often = [f"often {number}" for number in range(200)]
    once = [f"once {number}" for number in range(800)]
    path = tmp_path / "texts.parquet"
    pq.write_table(pa.table({"body": [*often * 30, *once]}), path, row_group_size=100)
    found = texts_of(path, [pa.array(["nothing"])], most=100)
    # A fifth of all different texts: 20 of 100 with a deviation of 4.
    assert sum(text.startswith("often") for text in found) < 36
    assert len(found) == 100


def test_each_text_is_as_likely_as_any_other_and_comes_once(tmp_path):
    texts = [f"text number {number}" for number in range(3000)]
    path = tmp_path / "texts.parquet"
    pq.write_table(pa.table({"body": texts + texts[:500]}), path, row_group_size=700)
    found = texts_of(path, [pa.array(["nothing"])], most=1000)
    assert len(found) == len(set(found)) == 1000
    places = np.array([int(text.split()[-1]) for text in found])
    assert (np.diff(places) > 0).all()
    # A third of each half: 500 with a deviation of 18.
    assert abs((places < 1500).sum() - 500) < 90
    assert found != texts_of(path, [pa.array(["nothing"])], most=1000, seed=1)
    assert found == texts_of(path, [pa.array(["nothing"])], most=1000)


def test_unlabelled_texts_that_all_have_labels_change_nothing(labelled_file, tmp_path):
    table = pq.read_table(labelled_file)
    pq.write_table(pa.table({"body": pc.utf8_upper(table["body"])}), tmp_path / "same.parquet")
    config = config_of(
        labelled_file, tmp_path / "m", unlabelled=(tmp_path / "same.parquet",), self_train=True
    )
    found = train(config).self_training
    assert found is not None
    assert (found.texts, found.rows, found.kept) == (0, 0, False)


def test_without_a_blend_no_linear_model_is_fitted_for_it(
    labelled_file, others, tmp_path, monkeypatch
):
    asked: list[str] = []

    def never(*_):
        asked.append("linear model")
        raise AssertionError

    monkeypatch.setattr(calibrating, "choose_linear", never)
    monkeypatch.setattr(calibrating, "fit_linear", never)
    config = config_of(
        labelled_file, tmp_path / "m", unlabelled=(others,), self_train=True, blend="off"
    )
    assert train(config).self_training.rows > 0
    assert asked == []


def test_self_training_needs_texts(labelled_file):
    with pytest.raises(ConflictError, match="--self-train without --unlabelled"):
        config_of(labelled_file, Path("m"), self_train=True)
