from __future__ import annotations

import pytest

from textbatch.errors import QualityGateError
from textbatch.report.comparison import Contender
from textbatch.training.package.baselines import (
    check_baselines,
    still_falling,
    worse_on_rare_labels,
)

CONTENDERS = [
    Contender(name="majority label", accuracy=0.3, macro_f1=0.1),
    Contender(name="TF-IDF + linear SVM", accuracy=0.8, macro_f1=0.7),
    Contender(name="network alone", accuracy=0.9, macro_f1=0.9),
]


def test_a_model_that_is_no_worse_passes():
    assert check_baselines(0.8, CONTENDERS, required=True) is None


def test_a_model_that_loses_is_warned_about():
    assert "TF-IDF + linear SVM has accuracy 0.8000 on the test rows" in check_baselines(
        0.79, CONTENDERS, required=False
    )


def test_a_model_that_loses_fails_where_the_caller_requires_it():
    with pytest.raises(QualityGateError) as raised:
        check_baselines(0.79, CONTENDERS, required=True)
    assert raised.value.exit_code == 69


def test_a_simple_model_that_is_better_on_rare_labels_is_told():
    assert worse_on_rare_labels(0.7, CONTENDERS) is None
    told = worse_on_rare_labels(0.69, CONTENDERS)
    assert told is not None
    assert "TF-IDF + linear SVM has macro F1 0.7000 on the test rows, the model 0.6900" in told


def test_a_loss_that_still_falls_in_the_last_epoch_is_told():
    assert "the last of 8 epochs" in (still_falling(8, 8) or "")
    assert still_falling(7, 8) is None
    assert still_falling(0, 0) is None  # fitted elsewhere
