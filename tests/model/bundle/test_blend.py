from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from support.bundles import (
    blended_bundle,
    random_texts,
    with_classifier,
    with_golden,
    write_bundle,
)

from textbatch.errors import BundleError
from textbatch.model.bundle.blend import read_blend
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.layout import LAYOUT
from textbatch.model.predictor import open_bundle
from textbatch.types import has_evidence


@pytest.fixture(scope="module")
def blended():
    return blended_bundle()


def answers(bundle, texts, **settings):
    with open_bundle(bundle, threads=2, **settings) as predictor:
        return predictor.predict_logits(pa.array(texts, pa.large_string()))


def test_the_logits_are_the_networks_and_the_weighted_margins(blended):
    texts = random_texts(200, seed=3)
    together, status = answers(blended, texts)
    network, _ = answers(with_golden(with_classifier(blended, blend=None)), texts)
    evidence = np.flatnonzero(has_evidence(status))
    tokens = blended.classifier.tokenizer.encode(pa.array([texts[row] for row in evidence]))
    margins = blended.classifier.blend.model.margins(tokens)
    assert together[evidence] == pytest.approx(network[evidence] + 1.5 * margins, abs=1e-5)
    assert np.abs(together[evidence] - network[evidence]).max() > 0.1
    assert np.isnan(np.delete(together, evidence, axis=0)).all()


def test_a_blended_answer_has_the_same_bits_alone_and_among_others(blended):
    texts = random_texts(300, seed=9)
    together, _ = answers(blended, texts)
    for batch_tokens in (1, 40, 10**6):
        assert answers(blended, texts, batch_tokens=batch_tokens)[0].tobytes() == together.tobytes()
    for row in range(0, 300, 31):
        assert answers(blended, [texts[row]])[0].tobytes() == together[row].tobytes()


def test_a_bundle_keeps_its_blend(blended, tmp_path):
    loaded = load_bundle(write_bundle(tmp_path / "m", blended))
    assert loaded.classifier.blend.weight == blended.classifier.blend.weight
    ours, theirs = loaded.classifier.blend.model, blended.classifier.blend.model
    assert np.array_equal(ours.ngrams.pairs, theirs.ngrams.pairs)
    assert np.array_equal(ours.subwords.subwords.keys, theirs.subwords.subwords.keys)
    texts = random_texts(50)
    assert answers(loaded, texts)[0].tobytes() == answers(blended, texts)[0].tobytes()


def test_one_bit_of_the_linear_model_is_missed(blended, tmp_path):
    path = write_bundle(tmp_path / "m", blended)
    for name in (LAYOUT.blend, LAYOUT.linear):
        file = path / name
        data = file.read_bytes()
        file.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
        with pytest.raises(BundleError, match="damaged"):
            load_bundle(path)
        file.write_bytes(data)
    load_bundle(path)


def test_half_a_blend_is_refused(blended, tmp_path):
    files = blended.classifier.blend.files()
    for name in files:
        with pytest.raises(BundleError, match="one is missing"):
            read_blend({name: files[name]}, blended.classifier.architecture)
    path = write_bundle(tmp_path / "m", blended)
    (path / LAYOUT.blend).unlink()
    with pytest.raises(BundleError, match=LAYOUT.blend):
        load_bundle(path)
    assert (path / LAYOUT.manifest).exists()


def _heavy(blend):
    return {LAYOUT.blend: b'{"weight": 1e9, "pairs": 1, "subwords": 0}'}


def _more_pairs_than_there_are(blend):
    return {LAYOUT.blend: b'{"weight": 1.5, "pairs": 4000000, "subwords": 0}'}


def _nan(blend):
    linear = replace(blend.model.linear, bias=np.full(4, np.nan, np.float32))
    return replace(blend, model=replace(blend.model, linear=linear)).files()


def _unknown_token(blend):
    pairs = blend.model.ngrams.pairs.copy()
    pairs[-1] = (1 << 32) * 5000
    return _with_pairs(blend, pairs)


def _out_of_order(blend):
    return _with_pairs(blend, blend.model.ngrams.pairs[::-1].copy())


def _with_pairs(blend, pairs):
    ngrams = replace(blend.model.ngrams, pairs=pairs)
    return replace(blend, model=replace(blend.model, ngrams=ngrams)).files()


def _subwords_out_of_order(blend):
    model = blend.model.subwords
    keys = model.subwords.keys[::-1].copy()
    subwords = replace(model, subwords=replace(model.subwords, keys=keys))
    return replace(blend, model=replace(blend.model, subwords=subwords)).files()


def _subwords_missing(blend):
    return replace(blend, model=replace(blend.model, subwords=None)).files() | {
        LAYOUT.blend: blend.files()[LAYOUT.blend]
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_heavy, "wrong type or value"),
        (_more_pairs_than_there_are, "missing or extra|has shape"),
        (_nan, "NaN"),
        (_unknown_token, "unknown token"),
        (_out_of_order, "not in order"),
        (_subwords_out_of_order, "n-grams are not in order"),
        (_subwords_missing, "missing or extra"),
    ],
)
def test_an_unsound_blend_is_refused(blended, change, told):
    files = {**blended.classifier.blend.files(), **change(blended.classifier.blend)}
    with pytest.raises(BundleError, match=told):
        read_blend(files, blended.classifier.architecture)
