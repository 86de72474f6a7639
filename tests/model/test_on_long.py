from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from support.bundles import blended_bundle, random_bundle, random_texts

from textbatch.model.predictor import open_bundle
from textbatch.types import Status

LONG = "refund the card " * 10
TEXTS = ["login", LONG + "parcel", "zzz " * 30 + "password", "zzz " * 40, None, "the card"]


def strings(texts):
    return pa.array(texts, pa.large_string())


@pytest.fixture(scope="module", params=["network", "blended"])
def bundle(request):
    return random_bundle() if request.param == "network" else blended_bundle()


def opened(bundle, on_long="auto", **settings):
    return open_bundle(bundle, threads=2, on_long=on_long, **settings)


def test_windows_are_averaged_and_the_linear_model_sees_the_whole_text():
    bundle = blended_bundle()
    size = bundle.classifier.architecture.max_sequence_length
    words = (LONG + "parcel").split()
    with opened(bundle, "window") as windowed, opened(bundle) as plain:
        (logits,), (status,) = windowed.predict_logits(strings([" ".join(words)]))
        starts = [0, (len(words) - size) // 2, len(words) - size]
        parts = strings([" ".join(words[start : start + size]) for start in starts])
        blend = bundle.classifier.blend
        network = plain.predict_logits(parts)[0] - blend.addend(plain.tokenizer.encode(parts))
        whole = blend.addend(windowed.tokenizer.encode(strings([" ".join(words)])))[0]
    assert Status(status) is Status.WINDOWED
    np.testing.assert_allclose(logits, network.mean(axis=0) + whole, atol=1e-5)


def test_the_status_tells_what_was_looked_at(bundle):
    def statuses(on_long):
        with opened(bundle, on_long) as predictor:
            return [Status(code).name for code in predictor.predict(strings(TEXTS)).status]

    nothing = ["NO_KNOWN_TOKENS", "NULL_TEXT", "OK"]
    assert statuses("auto") == ["OK", "TRUNCATED", "NO_KNOWN_TOKENS", *nothing]
    assert statuses("tail") == ["OK", "TRUNCATED", "TRUNCATED", *nothing]
    assert statuses("head-tail") == ["OK", "TRUNCATED", "TRUNCATED", *nothing]
    assert statuses("window") == ["OK", "WINDOWED", "WINDOWED", *nothing]


@pytest.mark.parametrize("on_long", ["head", "tail", "head-tail", "window"])
def test_a_row_has_the_same_bits_whatever_rows_are_beside_it(bundle, on_long):
    texts = [*TEXTS, *random_texts(40), LONG, "card " * 400]
    with opened(bundle, on_long, batch_tokens=64) as predictor:
        whole = predictor.predict(strings(texts)).probabilities
        alone = [predictor.predict(strings([text])).probabilities[0] for text in texts]
    np.testing.assert_array_equal(whole, np.stack(alone))


def test_short_texts_and_the_default_have_the_bits_of_before(bundle):
    texts = strings([*TEXTS, *random_texts(20)])
    with opened(bundle) as auto, opened(bundle, "head") as head, opened(bundle, "window") as window:
        before = auto.predict(texts)
        np.testing.assert_array_equal(head.predict(texts).probabilities, before.probabilities)
        found = window.predict(texts)
    short = before.status == Status.OK
    np.testing.assert_array_equal(found.probabilities[short], before.probabilities[short])
    assert short.any()
    assert not short.all()
