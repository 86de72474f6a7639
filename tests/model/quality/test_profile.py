from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from textbatch.model.quality.profile import training_profile
from textbatch.types import TokenBatch


def test_profile_of_a_known_example():
    lengths = list(range(101))
    token_ids = np.full(sum(lengths), 7, np.int32)
    token_ids[:505] = 1
    profile = training_profile(
        TokenBatch(
            token_ids=token_ids,
            offsets=np.concatenate([[0], np.cumsum(lengths)]),
            truncated=np.arange(101) < 20,
        ),
        labels={"b": 60, "a": 41},
        confidences=np.array([0.26, 0.29, 0.31, 0.51, 0.91, 0.94], np.float32),
        oov_id=1,
    )
    assert profile.rows == 101
    assert profile.tokens_by_quantile == pytest.approx(
        {"0.05": 5, "0.25": 25, "0.5": 50, "0.75": 75, "0.95": 95, "0.99": 99}
    )
    assert profile.truncated_share == pytest.approx(20 / 101)
    assert profile.oov_share == pytest.approx(0.1)
    assert profile.labels == {"b": 60, "a": 41}
    assert profile.confidence_histogram == [*[0] * 5, 2, 1, *[0] * 3, 1, *[0] * 7, 2, 0]
    record = asdict(profile)
    assert json.loads(json.dumps(record)) == record
