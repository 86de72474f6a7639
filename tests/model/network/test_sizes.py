"""The weights of a network have bounds."""

from __future__ import annotations

import pytest

from textbatch.errors import BundleError
from textbatch.model.network.sizes import check_sizes


@pytest.mark.parametrize(
    ("shapes", "told"),
    [
        ({"embedding": (400_001, 300), "gru.R": (1, 3 * 1024, 1024)}, None),
        ({"embedding": (1_000_000, 256)}, None),
        ({"embedding": (1_000_000, 300)}, "word vectors of the network take 1,200,000,000 bytes"),
        ({"gru.W": (1, 12_288, 4096), "gru.R": (1, 12_288, 4096)}, "layers of the network take"),
        ({"dense.W": (10_000, 10_000)}, "layers of the network take 400,000,000 bytes"),
    ],
)
def test_what_no_real_model_has_is_refused(shapes, told):
    if told is None:
        check_sizes(shapes)
        return
    with pytest.raises(BundleError, match=f"{told}.*; train one with a smaller"):
        check_sizes(shapes)
