"""What labels that are not sure teach."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.training import config_of

from textbatch.errors import ConflictError
from textbatch.model.linear.classifier import fit_logistic, fit_svm
from textbatch.training.train import train
from textbatch.types import FeatureBatch


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
    others = {"billing": "shipping", "shipping": "technical", "technical": "billing"}
    soft = [json.dumps({one: 0.7, others[one]: 0.3}) for one in labels]
    columns = {"body": table["body"], "soft": soft, "queue": labels}
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
    config = config_of(tmp_path / "rows.parquet", tmp_path / "model", soft_labels="soft")
    doubtful = train(config)
    assert doubtful.test.metrics.accuracy >= 0.8
    assert doubtful.fingerprint != trained[0].fingerprint
    # The loss of sure labels falls far below that of two labels at 0.7 and 0.3, which is 0.61.
    assert min(one.loss for one in doubtful.epochs) > 0.55
    assert min(one.loss for one in trained[0].epochs) < 0.55


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
