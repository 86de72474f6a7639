from __future__ import annotations

import numpy as np

from textbatch.types import Status, has_evidence


def test_evidence_is_what_the_network_was_asked_about():
    codes = np.array([status.value for status in Status], np.int8)
    asked = [Status(code) for code in codes[has_evidence(codes)]]
    assert asked == [
        *(Status.OK, Status.TRUNCATED, Status.LOW_CONFIDENCE, Status.WINDOWED, Status.NOVEL),
    ]
