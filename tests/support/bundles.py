"""Things that tests need: bundles without training, tables of text, the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from textbatch.model.beside import novelty_numbers
from textbatch.model.bundle.blend import Blend
from textbatch.model.bundle.bundle import Bundle, save_bundle
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.golden import golden_texts
from textbatch.model.bundle.records import EarlyExit, Golden, Int8Check, Settings
from textbatch.model.linear.character_ngrams import Subwords, subword_keys
from textbatch.model.linear.classifier import LinearModel
from textbatch.model.linear.early_exit import ExitRule
from textbatch.model.linear.ngrams import Ngrams
from textbatch.model.linear.text_characters import TextNgrams
from textbatch.model.linear.text_model import CharacterModel, LinearTextModel, SubwordModel
from textbatch.model.network.architecture import Architecture, RecurrentLayer
from textbatch.model.network.chain import Chain, ChainLayer
from textbatch.model.network.weights import Weights
from textbatch.model.predictor import open_predictor
from textbatch.model.quality.calibration import Calibration
from textbatch.model.quality.novelty import Novelty
from textbatch.model.quality.profile import TrainingProfile
from textbatch.model.quality.reference import HeldOutTexts, characters_of, reference_of_rows
from textbatch.model.quality.thresholds import HeldOut
from textbatch.report.listener import Listener
from textbatch.text.keras_text import KerasText
from textbatch.text.vocabulary import Vocabulary
from textbatch.types import has_evidence

WORDS = tuple(
    "the of to and in for on with refund invoice charge card price login password account "  # noqa: SIM905
    "email reset error crash screen update install parcel courier delivery late lost address "
    "don't 文 本".split()
)
LABELS = ("billing", "account", "technical", "shipping")


def random_weights(
    sizes: Architecture | Chain, random: np.random.Generator, *, scale: float
) -> Weights:
    """Normally distributed weights that Keras's layers can hold."""
    tensors = {
        name: random.normal(0, scale, shape).astype(np.float32)
        for name, shape in sizes.tensor_shapes().items()
    }
    for layer in sizes.stack() if isinstance(sizes, Architecture) else ():
        # Keras's GRU without reset_after has no recurrent bias, and its LSTM has one bias in all.
        if layer.cell == "lstm" or not sizes.reset_after:
            tensors[f"{layer.name}.B"][:, layer.gates :] = 0
    return Weights.pack(tensors, sizes)


def random_bundle(
    *,
    words: tuple[str, ...] = WORDS,
    labels: tuple[str, ...] = LABELS,
    max_sequence_length: int = 12,
    reset_after: bool = True,
    layers: tuple[tuple[str, int], ...] = (("gru", 10), ("lstm", 9)),
    bidirectional: bool = False,
    pooling: str = "last",
    seed: int = 0,
) -> Bundle:
    """A bundle with random weights, large enough that texts get different answers."""
    vocabulary = Vocabulary(tokens=("[PAD]", "[OOV]", *words))
    architecture = Architecture(
        vocabulary_size=len(vocabulary),
        embedding_dim=8,
        layers=tuple(RecurrentLayer(cell=cell, units=units) for cell, units in layers),
        bidirectional=bidirectional,
        pooling=pooling,
        dense_units=7,
        num_labels=len(labels),
        max_sequence_length=max_sequence_length,
        reset_after=reset_after,
    )
    weights = random_weights(architecture, np.random.default_rng(seed), scale=0.8)
    bundle = Bundle(
        classifier=Classifier(
            architecture=architecture,
            vocabulary=vocabulary,
            labels=labels,
            weights=weights,
            temperature=1.5,
        ),
        settings=Settings(preset="default", text_column="text"),
        calibration=Calibration(
            temperature=1.5, rows=10, ece_before=0.2, ece_after=0.1, nll_before=1.0, nll_after=0.9
        ),
        int8=Int8Check(rows=10, agreement=1.0, max_difference=0.01),
        held_out=HeldOut(confidences=[[] for _ in labels], correct=[[] for _ in labels]),
        profile=TrainingProfile(
            rows=0,
            tokens_by_quantile={},
            truncated_share=0.0,
            oov_share=0.1,
            labels={},
            confidence_histogram=[],
        ),
        golden=Golden(texts=[], probabilities=[]),
        metrics={},
    )
    return with_golden(bundle, seed=seed)


def with_classifier(bundle: Bundle, **changes: Any) -> Bundle:
    """A bundle whose classifier is another one; its golden rows stay."""
    return replace(bundle, classifier=replace(bundle.classifier, **changes))


def warmer_bundle() -> Bundle:
    """As `random_bundle`: the same labels with smaller confidences, so it is another model."""
    bundle = random_bundle()
    warmer = replace(
        bundle,
        classifier=replace(bundle.classifier, temperature=2.0),
        calibration=replace(bundle.calibration, temperature=2.0),
    )
    return with_golden(warmer)


def with_golden(bundle: Bundle, *, seed: int = 0) -> Bundle:
    """A bundle with golden rows of its own."""
    classifier = bundle.classifier
    length = classifier.architecture.max_sequence_length
    texts = golden_texts(classifier.vocabulary, max_sequence_length=length, seed=seed)
    with open_predictor(classifier, threads=1) as predictor:
        answers = predictor.predict(pa.array(texts, pa.large_string())).probabilities
    answered = np.flatnonzero(np.isfinite(answers).all(axis=1))
    texts, answers = [texts[row] for row in answered], answers[answered]
    return replace(bundle, golden=Golden(texts=texts, probabilities=answers.tolist()))


def random_blend(bundle: Bundle, *, seed: int = 0, weight: float = 1.5) -> Blend:
    """A linear model with random weights for every word and some pairs of a bundle."""
    random = np.random.default_rng(seed)
    size = bundle.classifier.architecture.vocabulary_size
    pairs = np.unique(random.integers(2, size, (200, 2)), axis=0).astype(np.int32)
    ngrams = Ngrams.of_ids(size, pairs)
    linear = LinearModel(
        idf=random.uniform(1, 5, len(ngrams)).astype(np.float32),
        weights=random.normal(0, 1, (len(ngrams), len(bundle.labels))).astype(np.float32),
        bias=random.normal(0, 0.1, len(bundle.labels)).astype(np.float32),
    )
    keys = np.unique(subword_keys(pa.array([*WORDS, "zzz"])).subwords)
    subwords = SubwordModel.of(
        Subwords(keys=keys),
        random.normal(0, 0.3, (len(keys), len(bundle.labels))).astype(np.float32),
        bundle.classifier.vocabulary,
    )
    model = LinearTextModel(ngrams=ngrams, linear=linear, subwords=subwords)
    return Blend(weight=weight, model=model)


def spelling_blend(bundle: Bundle, *, seed: int = 0) -> Blend:
    """As `random_blend`; its linear model reads character n-grams across words."""
    blend, labels = random_blend(bundle, seed=seed), len(bundle.labels)
    random = np.random.default_rng(seed)
    texts = pa.array([text or "" for text in random_texts(200, seed=7)], pa.large_string())
    tokens = bundle.classifier.tokenizer.encode(texts)
    vocabulary = bundle.classifier.vocabulary
    ngrams = TextNgrams.build(tokens, vocabulary, min_rows=2, most=2000)
    linear = LinearModel(
        idf=random.uniform(1, 5, len(ngrams)).astype(np.float32),
        weights=random.normal(0, 1, (len(ngrams), labels)).astype(np.float32),
        bias=np.zeros(labels, np.float32),
    )
    characters = CharacterModel(ngrams=ngrams, linear=linear)
    return replace(blend, model=replace(blend.model, subwords=None, characters=characters))


def spelling_bundle(**settings: Any) -> Bundle:
    """As `blended_bundle`; the linear model reads character n-grams across words."""
    bundle = random_bundle(**settings)
    return with_golden(with_classifier(bundle, blend=spelling_blend(bundle)))


def blended_bundle(**settings: Any) -> Bundle:
    """As `random_bundle`, with a linear model blended in."""
    bundle = random_bundle(**settings)
    return with_golden(with_classifier(bundle, blend=random_blend(bundle)))


def exiting_bundle(*, gap: float = 1.0, **settings: Any) -> Bundle:
    """As `blended_bundle`; the linear model answers rows with a large gap alone."""
    bundle = blended_bundle(**settings)
    rule = ExitRule(gap=gap, temperature=0.7)
    with open_predictor(bundle.classifier, threads=1) as predictor:
        predictor.exits = rule
        answers = predictor.predict(pa.array(bundle.golden.texts, pa.large_string()))
    golden = replace(bundle.golden, probabilities=answers.probabilities.tolist())
    found = EarlyExit(
        gap=rule.gap,
        temperature=rule.temperature,
        rows=100,
        share=0.5,
        agreement=0.999,
        int8_agreement=0.998,
        golden=golden,
    )
    return replace(bundle, early_exit=found)


def imported_bundle() -> Bundle:
    """As `random_bundle`, of a model that was made with Keras: a chain that reads padding."""
    bundle = random_bundle()
    chain = Chain(
        vocabulary_size=len(bundle.classifier.vocabulary),
        embedding_dim=8,
        mask_zero=True,
        padding="pre",
        layers=(
            ChainLayer(kind="gru", units=6, sequence=True, merge="concat", reset_after=True),
            ChainLayer(kind="conv1d", units=7, kernel=3, activation="relu"),
            ChainLayer(kind="max"),
            ChainLayer(kind="dense", units=len(bundle.labels)),
        ),
        num_labels=len(bundle.labels),
        max_sequence_length=12,
    )
    text = KerasText(
        filters="!?.", lower=True, split=" ", char_level=False, keep_unknown=False, truncating="pre"
    )
    weights = random_weights(chain, np.random.default_rng(0), scale=0.8)
    bundle = with_classifier(bundle, architecture=chain, weights=weights, text=text)
    return with_golden(replace(bundle, int8=None))


def write_bundle(path: Path, bundle: Bundle | None = None) -> Path:
    """Write a bundle, by default a random one, and return its path."""
    save_bundle(bundle or random_bundle(), path, card="# test\n", overwrite=False)
    return path


def with_novelty(bundle: Bundle) -> Bundle:
    """The bundle, which knows what random texts are like."""
    with open_predictor(bundle.classifier, threads=1) as predictor:
        texts = pa.array([text or "" for text in random_texts(300, seed=8)], pa.large_string())
        logits, status = predictor.predict_logits(texts)
        rows = np.flatnonzero(has_evidence(status))
        tokens = predictor.tokenizer.encode(texts)
        numbers = novelty_numbers(
            tokens, rows, logits, bundle.classifier.temperature, predictor.tokenizer
        )
    return replace(bundle, novelty=Novelty.fitted(numbers))


def random_texts(rows: int, *, seed: int = 0, longest: int = 20) -> list[str | None]:
    """Texts of known and unknown words, with duplicates, nulls, blanks and punctuation."""
    random = np.random.default_rng(seed)
    words = [*WORDS, "zzz", "qqq", "İstanbul"]
    texts: list[str | None] = []
    for _ in range(rows):
        picked = random.choice(words, random.integers(0, longest)).tolist()
        texts.append(" ".join(picked))
    for row in random.integers(0, rows, rows // 10):
        texts[row] = [None, "", "  \n", "!!!", "zzz qqq", texts[0]][random.integers(6)]
    return texts


def write_texts(path: Path, texts: list[str | None]) -> Path:
    """Write a Parquet file with columns `id` and `text`."""
    table = pa.table({"id": [f"row-{i:05d}" for i in range(len(texts))], "text": texts})
    pq.write_table(table, path)
    return path


def run_cli(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `textbatch` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "textbatch", *map(str, arguments)],
        capture_output=True,
        encoding=environment.get("PYTHONIOENCODING"),
        text=True,
        timeout=300,
        env={**os.environ, "COLUMNS": "100", **environment},
        check=False,
    )


class Steps(Listener):
    """Listens to long steps: what they are called and count, how many there are and were done."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.totals: list[int | None] = []
        self.done: list[int] = []
        self.shares: list[float | None] = []
        self.open = 0
        self.told_inside: list[str] = []

    def begin(self, total_rows: int | None, *, step: str = "scoring", unit: str = "rows") -> None:
        self.seen.append((step, unit))
        self.totals.append(total_rows)
        self.done.append(0)
        self.shares.append(None)
        self.open += 1

    def advance(self, rows: int, share: float | None = None) -> None:
        assert rows >= 0
        self.done[-1] += rows
        self.shares[-1] = share

    def inside(self, what: str) -> None:
        self.told_inside.append(what)

    def end(self) -> None:
        self.open = 0

    def names(self) -> list[str]:
        return [step for step, _ in self.seen]


def with_reference(bundle: Bundle, texts: list[str]) -> Bundle:
    """The bundle as if it had been measured on these texts, and had answered all rightly."""
    array = pa.array(texts, pa.large_string())
    with open_predictor(bundle.classifier, threads=1) as predictor:
        found = predictor.predict(array)
        seen = predictor.seen
    answered = found.probabilities[has_evidence(found.status)]
    reference = reference_of_rows(
        answered,
        answered.argmax(axis=1),
        bundle.labels,
        HeldOutTexts(lengths=characters_of(array), unknown=seen),
    )
    return replace(bundle, reference=reference)
