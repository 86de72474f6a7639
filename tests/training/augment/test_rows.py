from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pyarrow as pa

from textbatch.model.fitting.batches import Batches, first_width_of
from textbatch.model.fitting.settings import LabelledTokens
from textbatch.text.tokenizer import Tokenizer
from textbatch.text.vocabulary import Vocabulary
from textbatch.training.augment.alterations import Alterations
from textbatch.training.augment.labelled_templates import LabelledTemplates
from textbatch.training.augment.rows import MADE_UP_WEIGHT, AugmentedRows, made_up_texts

VOCABULARY = Vocabulary(tokens=("[PAD]", "[OOV]", "red", "green", "blue", "is", "it", "made"))
TOKENIZER = Tokenizer(vocabulary=VOCABULARY, max_sequence_length=9)
TEMPLATES = LabelledTemplates(
    patterns={"colour": ["made {name}"]}, slots={"name": ["red", "green", "blue"]}
)
LABELS = ("colour", "other")


def real_rows() -> LabelledTokens:
    """Ten rows of `colour` with weight 2, thirty of `other` with weight 0.5."""
    texts = [f"it is {name}" for name in ("red", "blue") for _ in range(5)] + ["it is it"] * 30
    label_ids = np.repeat([0, 1], [10, 30])
    return LabelledTokens(
        tokens=TOKENIZER.encode(pa.array(texts)),
        label_ids=label_ids,
        weights=np.where(label_ids == 0, 2.0, 0.5).astype(np.float32),
    )


def augmented(*methods: str, templates: LabelledTemplates | None = None) -> AugmentedRows:
    rows = real_rows()
    return AugmentedRows(
        rows,
        alterations=Alterations(rows.tokens, methods, vocabulary=VOCABULARY),
        templates=templates,
        labels=LABELS,
        encode=TOKENIZER.encode,
        seed=0,
    )


def test_a_pass_holds_every_real_row_and_half_as_many_made_up_ones_at_half_their_weight():
    shown = augmented(templates=TEMPLATES).of_epoch(0)
    rows = real_rows()
    assert np.array_equal(
        shown.tokens.token_ids[: len(rows.tokens.token_ids)], rows.tokens.token_ids
    )
    assert np.array_equal(shown.label_ids, [*rows.label_ids, *[0] * 5])
    assert np.array_equal(shown.weights, [*rows.weights, *[2.0 * MADE_UP_WEIGHT] * 5])
    assert shown.weights.dtype == np.float32
    made = VOCABULARY.tokens.index("made")
    assert (shown.tokens.token_ids[shown.tokens.offsets[40:45]] == made).all()
    assert shown.tokens.lengths[40:].tolist() == [2] * 5


def test_epochs_differ_and_a_seed_gives_the_same_ones():
    first, second = (
        augmented("delete", templates=TEMPLATES),
        augmented("delete", templates=TEMPLATES),
    )
    epochs = [
        source.of_epoch(number).tokens.token_ids.tolist()
        for source, number in ((first, 0), (first, 1), (second, 1))
    ]
    assert epochs[0] != epochs[1] == epochs[2]


def test_made_up_texts_follow_the_real_rows_and_need_patterns():
    texts, label_ids = made_up_texts(Random(0), TEMPLATES, LABELS, real_rows().label_ids)
    assert len(texts) == 5
    assert label_ids.tolist() == [0] * 5
    both = replace(TEMPLATES, patterns={"other": ["it"], "colour": ["red"]})
    texts, label_ids = made_up_texts(Random(0), both, LABELS, np.array([0, 1, 1, 1]))
    assert texts.to_pylist() == ["red", "it", "it"]
    assert label_ids.tolist() == [0, 1, 1]


def test_mini_batches_show_fresh_rows_in_each_epoch():
    source = augmented("swap", templates=TEMPLATES)
    epochs = []
    for number in (1, 2, 3):
        rows = source.of_epoch(number)
        batches = Batches(rows, batch_size=8, first_width=first_width_of(rows), seed=(0, number))
        shown = [batches[index] for index in range(len(batches))]
        assert sum(len(label_ids) for _, label_ids, _ in shown) == 45
        rows = [line.tolist() for token_ids, _, _ in shown for line in token_ids[:, :5]]
        epochs.append(sorted(rows))
    assert epochs[0] != epochs[1] != epochs[2]
