from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from support.bundles import (
    blended_bundle,
    random_texts,
    spelling_bundle,
    with_classifier,
    with_golden,
    write_bundle,
    write_texts,
)

from textbatch.errors import BundleError
from textbatch.model.bundle.blend import Blend, read_blend, read_blend_sizes
from textbatch.model.bundle.bundle import Bundle, load_bundle
from textbatch.model.bundle.directory import BundleFiles, Manifest
from textbatch.model.bundle.verified_file import ListedFile
from textbatch.model.layout import LAYOUT
from textbatch.model.predictor import open_bundle
from textbatch.types import has_evidence


@pytest.fixture(scope="module", params=[blended_bundle, spelling_bundle], ids=["words", "texts"])
def blended(request):
    return request.param()


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
    if theirs.subwords:
        assert np.array_equal(ours.subwords.subwords.keys, theirs.subwords.subwords.keys)
    else:
        assert np.array_equal(ours.characters.ngrams.keys, theirs.characters.ngrams.keys)
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


def read(files: BundleFiles, bundle: Bundle) -> Blend | None:
    sizes = read_blend_sizes(files)
    classifier = bundle.classifier
    return sizes and read_blend(files, classifier.architecture, sizes, classifier.vocabulary)


def files_of(folder, contents):
    """The files of a bundle, as far as `read_blend` looks at them."""
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    listed = {
        name: ListedFile(size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for name, data in contents.items()
    }
    manifest = Manifest(
        format=1, textbatch="", created="", versions={}, fingerprint="", files=listed
    )
    return BundleFiles(path=folder, manifest=manifest, small=contents)


def test_half_a_blend_is_refused(blended, tmp_path):
    files = blended.classifier.blend.files()
    for name in files:
        with pytest.raises(BundleError, match="one is missing"):
            read(files_of(tmp_path, {name: files[name]}), blended)
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
    if model := blend.model.subwords:
        keys = model.subwords.keys[::-1].copy()
        changed = {"subwords": replace(model, subwords=replace(model.subwords, keys=keys))}
    else:
        model = blend.model.characters
        keys = model.ngrams.keys[::-1].copy()
        changed = {"characters": replace(model, ngrams=replace(model.ngrams, keys=keys))}
    return replace(blend, model=replace(blend.model, **changed)).files()


def _subwords_missing(blend):
    return replace(blend, model=replace(blend.model, subwords=None, characters=None)).files() | {
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
def test_an_unsound_blend_is_refused(blended, change, told, tmp_path):
    files = {**blended.classifier.blend.files(), **change(blended.classifier.blend)}
    with pytest.raises(BundleError, match=told):
        read(files_of(tmp_path, files), blended)


def _overflowing(blended, value):
    """A blend that is finite and reproduces its golden rows, and a text that it overflows for."""
    blend = blended.classifier.blend
    linear, ngrams = blend.model.linear, blend.model.ngrams
    words = blended.classifier.vocabulary.tokens
    for number, (first, second) in enumerate(ngrams.pairs_of_ids()):
        text = f"{words[first]} {words[second]}"
        if any(text in golden.lower() for golden in blended.golden.texts):
            continue
        weights = linear.weights.copy()
        weights[len(words) + number] = value
        changed = replace(linear, weights=weights)
        made = replace(blend, weight=1e6, model=replace(blend.model, linear=changed))
        return with_golden(with_classifier(blended, blend=made)), text
    raise AssertionError


@pytest.mark.parametrize("value", [3e38, [3e38, 0, 0, 0], [3e38, -3e38, 0, 1], -3e38])
@pytest.mark.parametrize("engine", [{}, {"precision": "int8"}])
def test_finite_weights_that_overflow_give_no_answer(blended, value, engine):
    bundle, text = _overflowing(blended, value)
    with open_bundle(bundle, threads=1, **engine) as predictor:
        for ask in (predictor.predict, predictor.predict_logits):
            with pytest.raises(BundleError, match="answers with NaN or infinity"):
                ask(pa.array(["the refund", text, None]))
        assert np.isfinite(predictor.predict(pa.array(["the refund"])).probabilities).all()


@pytest.mark.parametrize("flags", [(), ("--min-confidence", "0.9"), ("--if-exists", "replace")])
def test_nothing_is_published_of_a_model_that_overflows(blended, flags, in_process, tmp_path):
    pytest.importorskip("prometheus_client")
    bundle, text = _overflowing(blended, 3e38)
    model = write_bundle(tmp_path / "m", bundle)
    source = write_texts(tmp_path / "in.parquet", ["the refund", text] * 5)
    told = ("--report", tmp_path / "report.json", "--metrics-file", tmp_path / "m.prom")
    done = in_process("score", source, tmp_path / "out.parquet", "--model", model, *flags, *told)
    assert done.returncode == 66
    assert "the model answers with NaN or infinity" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out.parquet").exists()
    assert "NaN" not in (tmp_path / "report.json").read_text().replace("with NaN or", "")
