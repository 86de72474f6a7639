from __future__ import annotations

import numpy as np
import pytest
from support.bundles import random_bundle

from textbatch.model.network.keras_network import build_network, read_tensors, write_tensors


@pytest.mark.parametrize("reset_after", [True, False])
def test_reading_undoes_writing(reset_after):
    bundle = random_bundle(reset_after=reset_after)
    network = build_network(bundle.classifier.architecture)
    write_tensors(network, bundle.classifier.architecture, bundle.classifier.weights.tensors)
    found = read_tensors(network, bundle.classifier.architecture)
    assert found.keys() == bundle.classifier.weights.tensors.keys()
    for name, tensor in bundle.classifier.weights.tensors.items():
        assert np.array_equal(found[name], tensor), name


@pytest.mark.parametrize("reset_after", [True, False])
def test_writing_undoes_reading(reset_after):
    sizes = random_bundle(reset_after=reset_after).classifier.architecture
    network, other = build_network(sizes), build_network(sizes)
    random = np.random.default_rng(0)
    network.set_weights([random.normal(size=value.shape) for value in network.get_weights()])
    write_tensors(other, sizes, read_tensors(network, sizes))
    for value, copied in zip(network.get_weights(), other.get_weights(), strict=True):
        assert np.array_equal(copied, value)


def test_padding_is_masked(bundle):
    network = build_network(bundle.classifier.architecture)
    write_tensors(network, bundle.classifier.architecture, bundle.classifier.weights.tensors)
    short = np.array([[5, 6, 7]], np.int32)
    padded = np.pad(short, ((0, 0), (0, 9)))
    assert np.allclose(network(padded), network(short), atol=1e-6)
    assert not np.allclose(network(np.where(padded == 0, 1, padded)), network(short), atol=1e-2)
