from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.training import FILLERS, KEYWORDS, QUICK, config_of, labelled_table

import textbatch
from textbatch.errors import ConflictError, DataError, InputNotFoundError, OutputError, UsageError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.fitting import fit as fitting
from textbatch.model.network.architecture import RecurrentLayer
from textbatch.report.listener import MessagesOnly
from textbatch.report.training import AugmentationRecord, TrainReport
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.evaluate_api import evaluate
from textbatch.scoring.score import score
from textbatch.training.fit import augmentation_trial as trials
from textbatch.training.train import train

pytestmark = pytest.mark.usefixtures("quick_recipe")


def test_a_simple_task_is_learned(trained):
    report, _ = trained
    assert report.test.metrics.accuracy >= 0.9
    assert report.rows == {"training": 240, "validation": 30, "test": 30}
    # Six epochs are few.
    (warning,) = report.warnings
    assert "still falling in the last of 6 epochs" in warning


def test_the_bundle_answers_new_texts(trained, tmp_path):
    report, _ = trained
    table = labelled_table(200, seed=1)
    pq.write_table(table, tmp_path / "new.parquet")
    output = tmp_path / "out.parquet"
    score(ScoreConfig(inputs=(tmp_path / "new.parquet",), output=output, model=Path(report.model)))
    answers = pq.read_table(output)["predicted_label"].to_pylist()
    right = np.array(answers) == np.array(table["queue"].to_pylist())
    assert right.mean() >= 0.9


def test_the_bundle_knows_its_columns_labels_and_recipe(trained):
    report, _ = trained
    bundle = load_bundle(Path(report.model))
    assert bundle.fingerprint == report.fingerprint
    assert bundle.labels == tuple(sorted(KEYWORDS))
    assert (bundle.settings.text_column, bundle.settings.preset) == ("body", "default")
    assert bundle.classifier.architecture.layers == QUICK.layers
    assert set(bundle.classifier.vocabulary.words()) == {*FILLERS, *chain(*KEYWORDS.values())}
    assert bundle.profile.rows == 240
    assert sum(bundle.profile.labels.values()) == 240
    assert "| billing |" in (Path(report.model) / "README.md").read_text()


def test_report_and_bundle_tell_the_same_story(trained):
    report, said = trained
    written = json.loads((Path(report.model).parent / "report.json").read_text())
    assert written == json.loads(json.dumps(report.to_dict()))
    assert written["state"] == "done"
    metrics = load_bundle(Path(report.model)).metrics
    # A sample of hashes tells the training texts again; it is no measure.
    measures = {key: value for key, value in metrics.items() if key != "training_texts"}
    assert measures == {key: written[key] for key in measures}
    losses = [epoch.validation_loss for epoch in report.epochs]
    assert report.best_epoch == 1 + int(np.argmin(losses))
    assert sum(line.startswith("epoch ") for line in said) == len(losses)


def test_reported_metrics_are_those_of_evaluate(trained, labelled_file, tmp_path):
    report, _ = trained
    # With the test rows in a file of their own, both measure the same rows.
    test_file = tmp_path / "test.parquet"
    pq.write_table(labelled_table(90, seed=2), test_file)
    again = train(config_of(labelled_file, tmp_path / "model", test=test_file))
    assert again.rows == {"training": 270, "validation": 30, "test": 90}
    measured = evaluate((test_file,), model=tmp_path / "model", label_column="queue")
    assert measured.metrics == again.test.metrics
    assert measured.ece_after == again.test.ece_after
    assert measured.ece_before == again.test.ece_before
    assert measured.fingerprint == again.fingerprint != report.fingerprint


def test_the_calibration_is_of_the_validation_rows_and_never_hurts_them(trained):
    calibration = trained[0].calibration
    assert calibration.rows == 30
    assert calibration.nll_after <= calibration.nll_before


def test_the_same_seed_gives_the_same_fingerprint(trained, labelled_file, tmp_path):
    report, _ = trained
    again = train(config_of(labelled_file, tmp_path / "model"))
    assert again.fingerprint == report.fingerprint
    assert again.epochs == report.epochs


def test_an_existing_bundle_is_refused_before_any_work(trained, labelled_file):
    report, _ = trained
    said: list[str] = []
    with pytest.raises(OutputError, match="exists; add --overwrite"):
        train(config_of(labelled_file, Path(report.model)), listener=MessagesOnly(said.append))
    assert said == []
    assert load_bundle(Path(report.model)).fingerprint == report.fingerprint


def test_overwrite_spares_what_is_no_bundle(labelled_file, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match="is not a model"):
        train(config_of(labelled_file, tmp_path / "model", if_exists="replace"))
    assert (tmp_path / "model" / "thesis.tex").read_text() == "years of work"


def test_a_failing_run_leaves_the_old_bundle_and_a_report(trained, tmp_path):
    report, _ = trained
    bad = tmp_path / "bad.parquet"
    pq.write_table(labelled_table(30, seed=0).slice(0, 2), bad)
    before = {path.name: path.read_bytes() for path in Path(report.model).iterdir()}
    told = tmp_path / "report.json"
    with pytest.raises(DataError):
        train(config_of(bad, Path(report.model), if_exists="replace", report=told))
    assert {path.name: path.read_bytes() for path in Path(report.model).iterdir()} == before
    record = json.loads(told.read_text())
    assert (record["state"], record["exit_code"]) == ("failed", 65)


@pytest.fixture(scope="module")
def augmenting_files(tmp_path_factory) -> dict[str, Path]:
    """Templates and synonyms with words that the training texts lack."""
    folder = tmp_path_factory.mktemp("augmenting")
    templates, synonyms = folder / "templates.toml", folder / "synonyms.txt"
    templates.write_text(
        '[patterns]\nbilling = ["reimburse my {thing}"]\n[slots]\nthing = ["voucher", "coupon"]\n'
    )
    synonyms.write_text("parcel, package\nwords, nobody, uses\n")
    return {"template_file": templates, "synonyms": synonyms}


@pytest.fixture(scope="module")
def augmented(labelled_file, augmenting_files, tmp_path_factory) -> TrainReport:
    model = tmp_path_factory.mktemp("augmented") / "model"
    return train(config_of(labelled_file, model, augment="all", **augmenting_files))


def test_augmentation_teaches_words_that_only_its_files_hold(augmented, trained):
    report, model_path = augmented, Path(augmented.model)
    assert report.augmentation == AugmentationRecord(
        asked="all",
        methods=["templates", "synonyms", "neighbours", "swap", "delete", "typos"],
        kept=True,
        trials=[],
    )
    bundle = load_bundle(model_path)
    known = {*FILLERS, *chain(*KEYWORDS.values())}
    learned = set(bundle.classifier.vocabulary.words()) - known
    assert learned == {"reimburse", "voucher", "coupon", "package"}
    with textbatch.load(model_path) as model:
        answers = model.predict(["reimburse my coupon", "package package please"])
    picked = [bundle.labels[index] for index in answers.probabilities.argmax(axis=1)]
    assert picked == ["billing", "shipping"]
    # Made-up rows are counted nowhere, and are in no part that measures.
    assert report.rows == trained[0].rows
    assert bundle.profile.rows == 240
    assert report.test.metrics.accuracy >= 0.9


def test_augmentation_for_a_seed_is_the_same_each_time(
    labelled_file, augmenting_files, augmented, tmp_path
):
    config = config_of(labelled_file, tmp_path / "model", augment="all", **augmenting_files)
    assert train(config).fingerprint == augmented.fingerprint


def test_augmentation_left_out_leaves_the_plain_bundle(
    labelled_file, trained, tmp_path, monkeypatch
):
    monkeypatch.setattr(trials, "MARGIN", 1.0)
    report = train(config_of(labelled_file, tmp_path / "model", augment="auto"))
    assert report.augmentation.kept is False
    assert report.fingerprint == trained[0].fingerprint
    assert trained[0].augmentation is None


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("template_file", b"[patterns]\nlost = ['x']\n", UsageError, "patterns for 'lost', which"),
        ("template_file", b"[patterns", UsageError, "is not TOML"),
        ("template_file", b"\xff", DataError, "is not UTF-8"),
        ("template_file", None, InputNotFoundError, "cannot read"),
        ("synonyms", b"alone\n# a, b\n", UsageError, "has no line with two phrases"),
        ("synonyms", b"\xff", DataError, "is not UTF-8"),
    ],
)
def test_files_to_augment_from_are_checked_before_training(
    name, content, error, message, labelled_file, tmp_path
):
    file = tmp_path / "given"
    if content is not None:
        file.write_bytes(content)
    config = config_of(labelled_file, tmp_path / "model", augment="all", **{name: file})
    said: list[str] = []
    with pytest.raises(error, match=message):
        train(config, listener=MessagesOnly(said.append))
    assert not (tmp_path / "model").exists()
    assert not any(line.startswith(("epoch", "word vectors")) for line in said)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[1], [2]] * 15, r"column 'queue' holds list; labels are texts.*; cast it to strings"),
        (["a", None] * 15, "15 of 30 rows have no label in column 'queue'"),
        (["a", ""] * 15, "15 of 30 rows have no label"),
        (["only"] * 30, "have 1 labels"),
        (["a"] * 28 + ["b"] * 2, "2 labels, 1 of them on fewer than 3 rows"),
    ],
)
def test_labels_that_cannot_be_learned_are_refused(labels, message, tmp_path):
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"body": ["refund the card"] * 30, "queue": labels}), path)
    with pytest.raises(DataError, match=message):
        train(config_of(path, tmp_path / "model"))
    assert list(tmp_path.iterdir()) == [path]


def test_texts_without_a_repeated_word_are_refused(tmp_path):
    path = tmp_path / "in.parquet"
    texts = [f"word{row}" for row in range(30)]
    pq.write_table(pa.table({"body": texts, "queue": ["a", "b"] * 15}), path)
    with pytest.raises(DataError, match="no word occurs 2 times"):
        train(config_of(path, tmp_path / "model"))


def test_network_options_stand_in_the_bundle_and_it_answers(labelled_file, tmp_path):
    config = config_of(
        labelled_file, tmp_path / "model",
        cell="gru", units=(8,), layers=1, bidirectional=True, pooling="mean+max",
    )  # fmt: skip
    report = train(config)
    bundle = load_bundle(config.model)
    sizes = bundle.classifier.architecture
    assert sizes.layers == (RecurrentLayer(cell="gru", units=8),)
    assert (sizes.bidirectional, sizes.pooling) == (True, "mean+max")
    assert bundle.int8 is None
    assert report.test.metrics.accuracy >= 0.8
    again = evaluate([labelled_file], model=config.model, text_column="body", label_column="queue")
    assert again.metrics.accuracy >= 0.8
    with pytest.raises(ConflictError, match="bidirectional"):
        evaluate(
            [labelled_file], model=config.model, text_column="body", label_column="queue",
            precision="int8",
        )  # fmt: skip


def test_refit_learns_from_the_validation_rows_too(labelled_file, trained, tmp_path, monkeypatch):
    fitted = []

    class Noted(fitting.Fit):
        def __init__(self, network, training, validation, **settings):
            super().__init__(network, training, validation, **settings)
            self.noted = len(training(1).label_ids), settings["stop_early"]

        def __iter__(self):
            yield from super().__iter__()
            rows, stop_early = self.noted
            fitted.append((rows, len(self.history), stop_early))

    monkeypatch.setattr(fitting, "Fit", Noted)
    said = []
    report = train(
        config_of(labelled_file, tmp_path / "refitted", refit=True),
        listener=MessagesOnly(said.append),
    )
    plain, _ = trained
    alone, together = fitted
    assert alone == (report.rows["training"], len(plain.epochs), True)
    rows = report.rows["training"] + report.rows["validation"]
    assert together == (rows, plain.best_epoch, False)
    assert said.count(f"all rows, epoch 1 of {plain.best_epoch}") == 1
    # Calibration goes by answers for rows that the network had not seen.
    assert report.calibration == plain.calibration
    first, second = (load_bundle(Path(one.model)).classifier for one in (plain, report))
    assert first.vocabulary == second.vocabulary
    assert not np.array_equal(first.weights.tensors["dense.W"], second.weights.tensors["dense.W"])


def test_a_refit_keeps_its_last_weights_not_those_that_fit_the_validation_rows_best(
    labelled_file, tmp_path, monkeypatch
):
    kept = []

    class Noted(fitting.Fit):
        def __iter__(self):
            for epoch in super().__iter__():
                last = [np.array(weight) for weight in self._network.get_weights()]
                yield epoch
            kept.append(all(map(np.array_equal, last, self._network.get_weights())))

    # The best epoch of each fit, which is not its last one.
    bests = iter((2, 1))

    class Told(fitting.EarlyStopping):
        def is_best(self, epoch):
            if epoch.number == 1:
                self.best_epoch = next(bests) - 1
            self.stopped = epoch.number == 4
            return epoch.number - 1 == self.best_epoch

    monkeypatch.setattr(fitting, "Fit", Noted)
    monkeypatch.setattr(fitting, "EarlyStopping", Told)
    train(config_of(labelled_file, tmp_path / "refitted", refit=True))
    assert kept == [False, True]
