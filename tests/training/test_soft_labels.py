"""What labels that are not sure teach."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.training import config_of

from textbatch.data.readers.labelled_rows import label_ids_of
from textbatch.errors import ConflictError
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.linear.classifier import fit_logistic, fit_svm
from textbatch.model.predictor import open_bundle
from textbatch.report.listener import SILENT
from textbatch.training.split.dataset import read_splits
from textbatch.training.teacher import taught
from textbatch.training.train import train
from textbatch.types import FeatureBatch

OTHERS = {"billing": "shipping", "shipping": "technical", "technical": "billing"}


@pytest.mark.parametrize("fit", [fit_svm, fit_logistic])
def test_a_linear_model_learns_each_label_by_its_share(fit):
    features = FeatureBatch(features=np.array([0, 1] * 20, np.int32), offsets=np.arange(41))
    labels = np.array([0, 1] * 20)
    shares = np.array([[0.6, 0.4], [0.1, 0.9]] * 20, np.float32)
    model = fit(features, labels, num_features=2, targets=shares).linear
    margins = model.logits(features)[:2]
    assert margins.argmax(axis=1).tolist() == [0, 1]
    # It is less sure of the row whose labels are less sure.
    gaps = np.abs(margins[:, 0] - margins[:, 1])
    assert gaps[0] < gaps[1]
    sure = fit(features, labels, num_features=2).linear.logits(features)[:2]
    one_hot = np.eye(2, dtype=np.float32)[labels]
    again = fit(features, labels, num_features=2, targets=one_hot).linear.logits(features)[:2]
    assert again.tolist() == sure.tolist()


@pytest.mark.usefixtures("quick_recipe")
def test_doubt_in_the_labels_is_doubt_in_the_answers(trained, labelled_file, tmp_path):
    table = pq.read_table(labelled_file)
    labels = table["queue"].to_pylist()
    soft = [json.dumps({one: 0.7, OTHERS[one]: 0.3}) for one in labels]
    columns = {"body": table["body"], "soft": soft, "queue": labels}
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
    config = config_of(tmp_path / "rows.parquet", tmp_path / "model", soft_labels="soft")
    doubtful = train(config)
    assert doubtful.test.metrics.accuracy >= 0.8
    assert doubtful.fingerprint != trained[0].fingerprint
    # The loss of sure labels falls far below that of two labels at 0.7 and 0.3, which is 0.61.
    assert min(one.loss for one in doubtful.epochs) > 0.55
    assert min(one.loss for one in trained[0].epochs) < 0.55


@pytest.mark.usefixtures("quick_recipe")
def test_a_teacher_counts_half_beside_the_labels(trained, labelled_file, tmp_path):
    report, _ = trained
    table = pq.read_table(labelled_file)
    # Labels that the teacher contradicts, each time.
    others = pa.array([OTHERS[one] for one in table["queue"].to_pylist()])
    pq.write_table(table.set_column(1, "queue", others), tmp_path / "rows.parquet")
    config = config_of(tmp_path / "rows.parquet", tmp_path / "m", teacher=Path(report.model))
    splits = read_splits(config)
    found, fingerprint = taught(splits, config.teacher, SILENT)
    assert fingerprint == report.fingerprint
    with open_bundle(load_bundle(Path(report.model))) as predictor:
        answers = predictor.predict(splits.training.texts).probabilities
    own = np.eye(3)[label_ids_of(splits.training.labels, splits.labels)[0]]
    # Shares next to nothing are left out.
    assert found.training.targets(splits.labels) == pytest.approx((own + answers) / 2, abs=0.005)
    assert found.validation is splits.validation
    student = train(config)
    assert student.teacher == fingerprint
    # Two labels of one half each are never learned better than that.
    assert min(one.loss for one in student.epochs) > 0.6


def test_a_teacher_of_other_labels_is_refused(model, labelled_file, tmp_path):
    """Its own bundle knows two of the three labels; of other rows it knows none."""
    table = pq.read_table(labelled_file)
    for names in (["x", "y", "z"], ["x", "y", "account"]):
        renamed = dict(zip(("billing", "shipping", "technical"), names, strict=True))
        labels = pa.array([renamed[one] for one in table["queue"].to_pylist()])
        pq.write_table(table.set_column(1, "queue", labels), tmp_path / "rows.parquet")
        splits = read_splits(config_of(tmp_path / "rows.parquet", tmp_path / "model"))
        if "account" in names:
            taught(splits, model, SILENT)
            continue
        with pytest.raises(ConflictError, match="knows none of the labels"):
            taught(splits, model, SILENT)


@pytest.mark.parametrize(
    "options",
    [
        {"soft_labels": "s", "confidence_column": "c"},
        {"soft_labels": "body"},
        {"confidence_column": "queue"},
        {"confidence_column": "w", "weight_column": "w"},
    ],
)
def test_columns_that_contradict_each_other_are_refused(options, labelled_file, tmp_path):
    with pytest.raises(ConflictError):
        config_of(labelled_file, tmp_path / "model", **options)
