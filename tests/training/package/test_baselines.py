from __future__ import annotations

import pytest

from textbatch.errors import QualityGateError
from textbatch.report.comparison import Contender
from textbatch.training.package.baselines import check_baselines

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
