from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from support.training import config_of

from textbatch.data.readers.labelled_rows import label_ids_of
from textbatch.errors import ConflictError, DataError, OutputError, QualityGateError, UsageError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.quality.calibration import softmax
from textbatch.model.quality.metrics import measure
from textbatch.model.quality.thresholds import thresholds
from textbatch.model.vectors.types import WordVectors
from textbatch.report.folds import folds_line
from textbatch.report.listener import MessagesOnly
from textbatch.report.training import TrainReport
from textbatch.scoring.inspect import inspect_path
from textbatch.text.normalization import split_tokens
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import Vocabulary
from textbatch.training import cross_validation, linear
from textbatch.training import train as training
from textbatch.training.config.train import TrainConfig
from textbatch.training.cross_validation import cross_validate, rows_to_fold
from textbatch.training.fit.fit import fit_model
from textbatch.training.fold_progress import StepFile
from textbatch.training.linear import HeldOutRows, choose_linear
from textbatch.training.recipes.presets import recipe_of
from textbatch.training.run import TrainingRun
from textbatch.training.split.dataset import read_rows, read_splits
from textbatch.training.train import train

pytestmark = pytest.mark.usefixtures("quick_recipe")


@pytest.fixture(scope="module")
def validated(labelled_file, tmp_path_factory) -> tuple[TrainReport, list[str]]:
    folder = tmp_path_factory.mktemp("folds")
    said: list[str] = []
    return train(
        config_of(labelled_file, folder / "model", folds=2), listener=MessagesOnly(said.append)
    ), said


def test_answers_of_the_folds_lie_beside_the_model_for_all_rows_but_the_test_rows(
    validated, labelled_file
):
    report, _ = validated
    found = pq.read_table(Path(report.model).parent / "model.out-of-fold.parquet")
    assert found.column_names == [
        "row", "label", "predicted_label", "confidence", "fold", "probabilities",
    ]  # fmt: skip
    rows = found["row"].to_numpy()
    assert len(rows) == len(set(rows)) == 270
    truth = pq.read_table(labelled_file)["queue"].to_pylist()
    assert found["label"].to_pylist() == [truth[row - 1] for row in rows]
    test = read_splits(config_of(labelled_file, Path("m"))).test.row_numbers
    assert not set(rows) & set(test)
    assert sorted(set(found["fold"].to_pylist())) == [1, 2]
    probabilities = np.array(found["probabilities"].to_pylist())
    labels = json.loads(found.schema.field("probabilities").metadata[b"labels"])
    best = probabilities.argmax(axis=1)
    assert found["predicted_label"].to_pylist() == [labels[index] for index in best]
    assert np.allclose(found["confidence"].to_numpy(), probabilities.max(axis=1))


def test_the_report_tells_mean_and_deviation_of_what_the_file_says(validated):
    report, said = validated
    found = pq.read_table(Path(report.model).parent / "model.out-of-fold.parquet").to_pandas()
    right = (found["label"] == found["predicted_label"]).groupby(found["fold"]).mean()
    assert report.folds is not None
    assert [fold.accuracy for fold in report.folds.folds] == pytest.approx(right.to_list())
    assert report.folds.accuracy.mean == pytest.approx(right.mean())
    assert report.folds.accuracy.deviation == pytest.approx(right.std(ddof=1))
    assert any(line.startswith("fold 2 of 2: accuracy ") for line in said)
    assert any(line.startswith("2 folds, 270 rows: accuracy ") for line in said)


def test_card_page_and_inspect_tell_the_same_of_a_cross_validation(validated):
    report = validated[0]
    line = report.folds.line()
    model = Path(report.model)
    assert f"Cross-validation: {line}." in (model / "README.md").read_text()
    assert line in (model / "report.html").read_text()
    assert folds_line(inspect_path(model).metrics["folds"]) == line


def test_the_network_is_the_one_that_training_without_folds_makes(validated, trained):
    plain, _ = trained
    weights = [
        (Path(model) / "weights.safetensors").read_bytes()
        for model in (plain.model, validated[0].model)
    ]
    assert weights[0] == weights[1]
    assert not list(Path(plain.model).parent.glob("*.out-of-fold.parquet"))


def test_all_rows_of_the_folds_calibrate_and_support_thresholds(validated, trained):
    report, _ = validated
    found = pq.read_table(Path(report.model).parent / "model.out-of-fold.parquet")
    answered = found["predicted_label"].drop_null()
    assert report.calibration.rows == len(answered) > 200
    bundle = load_bundle(Path(report.model))
    assert sum(map(len, bundle.held_out.confidences)) == len(answered)
    # 27 validation rows alone are too few.
    thresholds(bundle.held_out, bundle.labels, 0.9)
    plain = load_bundle(Path(trained[0].model))
    with pytest.raises(QualityGateError, match="held-out answers"):
        thresholds(plain.held_out, plain.labels, 0.9, strict=True)


def test_the_linear_model_answers_no_row_that_it_has_seen(labelled_file, monkeypatch):
    splits = read_splits(config_of(labelled_file, Path("m")))
    rows = rows_to_fold(TrainConfig(inputs=(labelled_file,)), splits)
    folds = np.arange(len(rows)) % 3
    learned: list[int] = []
    fit = linear.fit_linear_text

    def spy(tokens, label_ids, **settings):
        learned.append(len(label_ids))
        return fit(tokens, label_ids, **settings)

    monkeypatch.setattr(linear, "fit_linear_text", spy)
    words, _ = split_tokens(rows.texts)
    tokenizer = Tokenizer(
        vocabulary=Vocabulary.build(words, min_count=1, max_size=1000), max_sequence_length=50
    )
    logits = np.zeros((len(rows), len(splits.labels)), np.float32)
    choice = choose_linear(splits, tokenizer, HeldOutRows(rows=rows, logits=logits, folds=folds))
    # Each kind of features, each fold.
    assert learned == [180] * 12
    assert choice.weight > 0
    assert np.isfinite(choice.logits).all()


def test_of_many_texts_no_character_ngrams_are_taken(labelled_file, monkeypatch):
    splits = read_splits(config_of(labelled_file, Path("m")))
    asked: list[bool] = []
    fit = linear.fit_linear_text

    def spy(tokens, label_ids, *, features, **settings):
        asked.append(features.subwords)
        return fit(tokens, label_ids, features=features, **settings)

    monkeypatch.setattr(linear, "fit_linear_text", spy)
    words, _ = split_tokens(splits.training.texts)
    tokenizer = Tokenizer(
        vocabulary=Vocabulary.build(words, min_count=1, max_size=1000), max_sequence_length=50
    )
    logits = np.zeros((len(splits.validation), len(splits.labels)), np.float32)
    held_out = HeldOutRows(rows=splits.validation, logits=logits)
    choose_linear(splits, tokenizer, held_out)
    assert any(asked)
    asked.clear()
    monkeypatch.setattr(linear, "MAX_SUBWORD_TOKENS", 10)
    choose_linear(splits, tokenizer, held_out)
    assert asked
    assert not any(asked)


def test_a_label_that_only_one_fold_has_is_no_trouble(labelled_file):
    splits = read_splits(config_of(labelled_file, Path("m")))
    rows = rows_to_fold(TrainConfig(inputs=(labelled_file,)), splits)
    ids, _ = label_ids_of(rows.labels, splits.labels)
    folds = np.where(ids == 0, 0, np.arange(len(rows)) % 2)
    words, _ = split_tokens(rows.texts)
    tokenizer = Tokenizer(
        vocabulary=Vocabulary.build(words, min_count=1, max_size=1000), max_sequence_length=50
    )
    logits = np.zeros((len(rows), len(splits.labels)), np.float32)
    choice = choose_linear(splits, tokenizer, HeldOutRows(rows=rows, logits=logits, folds=folds))
    assert np.isfinite(choice.logits).all()


def test_out_of_fold_logits_are_of_networks_that_have_not_seen_the_rows(
    labelled_file, tmp_path, monkeypatch
):
    """Networks that know a text by heart answer what they were taught, and at random else."""
    config = config_of(labelled_file, Path("m"), folds=2, jobs=1)
    splits = read_splits(config)
    rows = rows_to_fold(config, splits)
    assert rows.row_numbers is not None
    seen: list[set[int]] = []

    def spy(run, fold):
        numbers = [set(rows.row_numbers) for rows in (fold.training, fold.validation, fold.test)]
        assert not numbers[2] & (numbers[0] | numbers[1])
        assert not numbers[0] & numbers[1]
        seen.append(numbers[2])
        return fit_model(run, fold)

    def here(run, answer, folds):
        return (answer(run, fold, 1, StepFile(tmp_path / "told")) for fold in folds)

    monkeypatch.setattr(cross_validation, "in_processes", here)
    monkeypatch.setattr(cross_validation, "fit_model", spy)
    run = TrainingRun(config=config, recipe=recipe_of(config))
    found = cross_validate(run, rows, splits.labels)
    assert [len(part) for part in seen] == [135, 135]
    assert set.union(*seen) == set(rows.row_numbers)
    assert found.logits.shape == (270, 3)
    for score in found.scores:
        here = found.folds == score.fold
        predicted = softmax(found.logits[here], score.temperature).argmax(axis=1)
        assert measure(found.label_ids[here], predicted, found.labels).accuracy == score.accuracy


def test_settings_of_the_folds_are_checked_before_any_work(labelled_file, tmp_path):
    with pytest.raises(UsageError, match="--folds is 1"):
        config_of(labelled_file, tmp_path / "model", folds=1)
    with pytest.raises(ConflictError, match="add --folds"):
        config_of(labelled_file, tmp_path / "model", out_of_fold=tmp_path / "o.parquet")
    taken = tmp_path / "o.parquet"
    taken.write_text("mine")
    said: list[str] = []
    with pytest.raises(OutputError, match="exists"):
        train(
            config_of(labelled_file, tmp_path / "model", folds=2, out_of_fold=taken),
            listener=MessagesOnly(said.append),
        )
    assert said == []
    assert taken.read_text() == "mine"


def test_more_folds_than_texts_are_refused(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(
        "text,label\n" + "".join(f"same text {n % 3},{'ab'[n % 2]}\n" for n in range(9))
    )
    config = TrainConfig(inputs=(path,), folds=50)
    rows, labels = read_rows(config, [])
    run = TrainingRun(config=config, recipe=recipe_of(config))
    with pytest.raises(DataError, match="3 different texts make no 50 folds"):
        cross_validate(run, rows, labels)


@pytest.mark.parametrize(("augment", "methods"), [("swap,typos", ("swap", "typos")), ("auto", ())])
def test_folds_are_augmented_as_asked_but_not_on_trial(
    augment, methods, labelled_file, tmp_path, monkeypatch
):
    seen = []

    def stop(run, rows, labels):
        seen.append(run.sources.methods)
        raise DataError("here", "stop")

    monkeypatch.setattr(training, "cross_validate", stop)
    with pytest.raises(DataError, match="here"):
        train(config_of(labelled_file, tmp_path / "model", folds=2, augment=augment))
    assert seen == [methods]


@pytest.mark.parametrize(("gain", "taken"), [(0.01, False), (0.03, True)])
def test_characters_across_words_are_taken_where_they_help_clearly(
    labelled_file, monkeypatch, gain, taken
):
    splits = read_splits(config_of(labelled_file, Path("m")))
    losses = iter([1.0, 1.0, 1.0, 1.0 - gain])
    monkeypatch.setattr(linear, "fit_blend_weight", lambda *_: (1.0, next(losses)))
    words, _ = split_tokens(splits.training.texts)
    tokenizer = Tokenizer(
        vocabulary=Vocabulary.build(words, min_count=1, max_size=1000), max_sequence_length=50
    )
    logits = np.zeros((len(splits.validation), len(splits.labels)), np.float32)
    choice = choose_linear(splits, tokenizer, HeldOutRows(rows=splits.validation, logits=logits))
    assert choice.features.characters == taken


@pytest.mark.parametrize(("gain", "taken"), [(0.002, False), (0.003, True)])
def test_vectors_of_words_are_taken_where_held_out_rows_gain(
    labelled_file, monkeypatch, gain, taken
):
    splits = read_splits(config_of(labelled_file, Path("m")))
    losses = iter([1.0, 0.9, 0.8, 0.8, 0.8 * (1 - gain)])
    monkeypatch.setattr(linear, "fit_blend_weight", lambda *_: (1.0, next(losses)))
    words, _ = split_tokens(splits.training.texts)
    tokenizer = Tokenizer(
        vocabulary=Vocabulary.build(words, min_count=1, max_size=1000), max_sequence_length=50
    )
    known = tuple(tokenizer.vocabulary.words())
    table = np.random.default_rng(0).normal(size=(len(known), 3)).astype(np.float32)
    held_out = HeldOutRows(
        rows=splits.validation,
        logits=np.zeros((len(splits.validation), len(splits.labels)), np.float32),
        vectors=WordVectors(words=known, table=table),
    )
    choice = choose_linear(splits, tokenizer, held_out)
    assert choice.features.vectors == taken
    assert bool(choice.told()) == taken
    assert choice.loss_without_vectors == 0.8
    assert choice.loss == 0.8 * (1 - gain * taken)
