from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from support.killable_job import FULL

from textbatch.model.fitting.batches import Batches, first_width_of
from textbatch.model.fitting.checkpoint import Checkpoint, TrainingState
from textbatch.model.fitting.fit import Fit
from textbatch.model.fitting.settings import Epoch, FitSettings, LabelledTokens
from textbatch.model.network.architecture import Architecture, Dropout, RecurrentLayer
from textbatch.model.network.keras_network import build_network
from textbatch.model.quality.calibration import negative_log_likelihood
from textbatch.text.bucketing import pad
from textbatch.text.vocabulary import OOV_ID, PAD_ID
from textbatch.types import TokenBatch

SIZES = Architecture(
    vocabulary_size=30,
    embedding_dim=6,
    layers=(
        RecurrentLayer(cell="gru", units=6),
        RecurrentLayer(cell="lstm", units=6),
    ),
    bidirectional=False,
    pooling="last",
    dense_units=6,
    num_labels=2,
    max_sequence_length=9,
    reset_after=True,
)
QUICK = FitSettings(learning_rate=0.02, batch_size=16, max_epochs=4, patience=2)


def labelled(rows: int, *, seed: int, noise: float = 0.0) -> LabelledTokens:
    """Rows of label 0 hold ids 2 to 15, rows of label 1 ids 16 to 29."""
    random = np.random.default_rng(seed)
    label_ids = random.integers(0, 2, rows)
    lengths = random.integers(1, SIZES.max_sequence_length + 1, rows)
    flat = random.integers(2, 16, lengths.sum()) + 14 * np.repeat(label_ids, lengths)
    swapped = random.random(rows) < noise
    return LabelledTokens(
        tokens=TokenBatch(
            token_ids=flat.astype(np.int32),
            offsets=np.concatenate([[0], np.cumsum(lengths)]),
            truncated=np.zeros(rows, bool),
        ),
        label_ids=np.where(swapped, 1 - label_ids, label_ids),
        weights=np.ones(rows, np.float32),
    )


def fitted(
    settings: FitSettings,
    *,
    seed: int = 0,
    noise: float = 0.0,
    on_epoch: Callable[[keras.Model, Epoch], None] = lambda network, epoch: None,
) -> tuple[keras.Model, list[Epoch]]:
    keras.utils.set_random_seed(seed)
    network = build_network(SIZES, dropout=Dropout(between=0.2), train_embedding=True)
    rows = labelled(160, seed=1, noise=noise)
    fit = Fit(network, lambda _: rows, labelled(60, seed=2), settings=settings, seed=seed)
    for epoch in fit:
        on_epoch(network, epoch)
    return network, fit.history


def logits_of(network: keras.Model, tokens: TokenBatch) -> np.ndarray:
    return np.asarray(network.predict_on_batch(pad(tokens, np.arange(len(tokens))).token_ids))


def flat_weights(network: keras.Model) -> bytes:
    return b"".join(value.tobytes() for value in network.get_weights())


def cut(
    rows: LabelledTokens, batch_size: int, seed: tuple[int, int] | None, **settings: Any
) -> Batches:
    return Batches(
        rows, batch_size=batch_size, first_width=first_width_of(rows), seed=seed, **settings
    )


@pytest.fixture(scope="module")
def quick() -> tuple[keras.Model, list[Epoch]]:
    """A fitted network; tests must not fit it further."""
    return fitted(QUICK)


def test_fitting_learns_and_the_same_seed_gives_the_same_weights(quick):
    network, history = quick
    again, same_history = fitted(QUICK)
    assert history[-1].validation_accuracy > 0.95 > 0.9 > history[0].accuracy
    assert history == same_history
    assert flat_weights(network) == flat_weights(again)


@pytest.mark.parametrize(("patience", "averaging"), [(1, 0.0), (30, 0.0), (30, 0.5)])
def test_the_weights_with_the_least_validation_loss_are_kept(patience, averaging):
    seen: list[bytes] = []
    # Much too large steps, so that later epochs are worse than earlier ones.
    settings = replace(
        QUICK, learning_rate=0.3, max_epochs=6, patience=patience, averaging=averaging
    )
    network, history = fitted(
        settings, noise=0.4, on_epoch=lambda model, _: seen.append(flat_weights(model))
    )
    losses = [epoch.validation_loss for epoch in history]
    best = int(np.argmin(losses))
    assert best < len(losses) - 1, "the last epoch is the best: this tests nothing"
    assert len(history) == (best + 2 if patience == 1 else 6)
    assert flat_weights(network) == seen[best] != seen[-1]


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_what_an_epoch_reports_is_measured_on_the_validation_rows(averaging):
    network, history = fitted(replace(QUICK, averaging=averaging))
    validation = labelled(60, seed=2)
    logits = logits_of(network, validation.tokens)
    best = min(history, key=lambda epoch: epoch.validation_loss)
    loss = negative_log_likelihood(logits, validation.label_ids)
    accuracy = (logits.argmax(axis=1) == validation.label_ids).mean()
    assert best.validation_loss == pytest.approx(loss, abs=1e-5)
    assert best.validation_accuracy == pytest.approx(accuracy, abs=1e-6)
    assert [epoch.number for epoch in history] == list(range(1, len(history) + 1))


def test_the_mean_of_the_weights_is_kept_and_training_goes_on_with_the_weights_themselves(quick):
    one = replace(QUICK, max_epochs=1)
    raw, _ = fitted(one)
    means, _ = fitted(replace(one, averaging=0.9))
    assert flat_weights(raw) != flat_weights(means)
    # A momentum of nearly nothing: the mean is the weights, whatever is swapped in between.
    plain, measured = quick
    followed, same = fitted(replace(QUICK, averaging=1e-12))
    assert [epoch.validation_loss for epoch in same] == pytest.approx(
        [epoch.validation_loss for epoch in measured], abs=1e-5
    )
    for value, other in zip(followed.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(value, other, atol=1e-5)


def test_rows_of_weight_zero_teach_nothing():
    keras.utils.set_random_seed(0)
    network = build_network(SIZES)
    rows = labelled(160, seed=1)
    only_ones = replace(rows, weights=rows.label_ids.astype(np.float32))
    list(Fit(network, lambda _: only_ones, only_ones, settings=QUICK, seed=0))
    assert (logits_of(network, rows.tokens).argmax(axis=1) == 1).all()


@pytest.mark.parametrize("seed", [None, 0])
def test_every_epoch_shows_every_row_once(seed):
    rows = labelled(1000, seed=3)
    # The weight names the row, so that a mini-batch tells which rows it holds.
    rows = replace(rows, weights=np.arange(1000, dtype=np.float32))
    epochs = []
    for number in (1, 2, 3):
        batches = cut(rows, 24, None if seed is None else (seed, number))
        shown = [batches[index] for index in range(len(batches))]
        epochs.append(np.concatenate([weights for _, _, weights in shown]).astype(int))
        for token_ids, label_ids, weights in shown:
            assert len(token_ids) <= 24
            for line, label_id, row in zip(token_ids, label_ids, weights.astype(int), strict=True):
                start, stop = rows.tokens.offsets[row : row + 2]
                real = rows.tokens.token_ids[start:stop]
                assert np.array_equal(line[: len(real)], real)
                assert not line[len(real) :].any()
                assert label_id == rows.label_ids[row]
    for order in epochs:
        assert sorted(order) == list(range(1000))
    assert np.array_equal(epochs[0], epochs[1]) is (seed is None)


def test_mini_batches_hold_rows_of_similar_length():
    rows = labelled(1000, seed=3)
    batches = cut(rows, 24, (0, 1))
    spreads = [
        np.ptp((token_ids != PAD_ID).sum(axis=1))
        for token_ids, _, _ in (batches[index] for index in range(len(batches)))
    ]
    assert np.mean(spreads) < 2 < np.ptp(rows.tokens.lengths)


def test_word_dropout_hides_its_share_of_words_and_never_touches_padding():
    rows = labelled(600, seed=4)
    before = rows.tokens.token_ids.copy()
    batches = cut(rows, 32, (0, 1), word_dropout=0.25)
    shown = [batches[index][0] for index in range(len(batches))]
    real = sum(int((token_ids != PAD_ID).sum()) for token_ids in shown)
    hidden = sum(int((token_ids == OOV_ID).sum()) for token_ids in shown)
    assert real == len(rows.tokens.token_ids)
    assert hidden / real == pytest.approx(0.25, abs=0.03)
    for token_ids in shown:
        lengths = (token_ids != PAD_ID).sum(axis=1)
        assert not token_ids[np.arange(token_ids.shape[1]) >= lengths[:, None]].any()
    assert np.array_equal(rows.tokens.token_ids, before)


def test_first_mini_batches_of_one_width_do_not_bind_the_later_ones():
    # Keras takes the shape of all mini-batches from the first two: here those are the short ones.
    lengths = np.repeat([5, 40], [512, 88])
    rows = LabelledTokens(
        tokens=TokenBatch(
            token_ids=np.full(lengths.sum(), 7, np.int32),
            offsets=np.concatenate([[0], np.cumsum(lengths)]),
            truncated=np.zeros(600, bool),
        ),
        label_ids=np.arange(600) % 2,
        weights=np.ones(600, np.float32),
    )
    once = replace(QUICK, max_epochs=1)
    network = build_network(SIZES)
    assert len(list(Fit(network, lambda _: rows, rows, settings=once, seed=0))) == 1


class Kept(Checkpoint):
    """Keeps a copy of the directory after each save: what a process that was killed then leaves."""

    def save(self, state: TrainingState) -> None:
        super().save(state)
        shutil.copytree(self.folder, f"{self.folder}-{len(state.history)}")


def renewed(number: int) -> LabelledTokens:
    """Other rows in each epoch, of other lengths."""
    return labelled(160, seed=10 + number, noise=0.3)


def interrupted(
    checkpoint: Checkpoint | None, *, seed: int, averaging: float, renew: bool
) -> tuple[bytes, list[Epoch]]:
    """Fit with all that is random: dropout of words, channels and layers, the order of rows."""
    keras.utils.set_random_seed(seed)
    network = build_network(
        SIZES, dropout=Dropout(channels=0.2, between=0.2, last_input=0.2), train_embedding=True
    )
    rows = labelled(160, seed=1, noise=0.3)
    fit = Fit(
        network,
        renewed if renew else lambda _: rows,
        labelled(60, seed=2),
        settings=replace(
            QUICK, learning_rate=0.1, max_epochs=5, word_dropout=0.2, averaging=averaging
        ),
        seed=0,
    )
    if checkpoint and checkpoint.state:
        fit.restore(checkpoint.state)
    elif checkpoint:
        checkpoint.save(fit.state())
    for _ in fit:
        if checkpoint:
            checkpoint.save(fit.state())
    return flat_weights(network), fit.history


# A state before the first epoch, one in the middle, the last one, which says that
# none is to follow. All of them where most can differ.
@pytest.mark.parametrize(
    ("averaging", "renew", "killed_after"),
    [(0.0, False, (0, 3, 5)), (0.9, False, (0, 3, 5)), (0.9, True, range(6))]
    if FULL
    else [(0.0, False, (3,)), (0.9, True, (0, 3, 5))],
)
def test_a_fit_that_goes_on_after_any_epoch_ends_with_the_same_bits(
    tmp_path, averaging, renew, killed_after
):
    how = {"averaging": averaging, "renew": renew}
    whole = interrupted(None, seed=0, **how)
    assert interrupted(Kept(tmp_path / "after", key="a"), seed=0, **how) == whole
    for epochs in killed_after:
        again = Checkpoint(tmp_path / f"after-{epochs}", key="a")
        assert again.find()
        assert again.state is not None
        assert len(again.state.history) == epochs
        # Another seed of Keras: everything comes from the checkpoint.
        assert interrupted(again, seed=99, **how) == whole


def test_the_caller_may_leave_after_any_epoch():
    keras.utils.set_random_seed(0)
    network = build_network(SIZES)
    rows = labelled(160, seed=1)
    fit = Fit(network, lambda _: rows, labelled(60, seed=2), settings=QUICK, seed=0)
    for epoch in fit:
        if epoch.number == 2:
            break
    assert [epoch.number for epoch in fit.history] == [1, 2]
    # Asked again, it goes on where it was left.
    assert next(iter(fit)).number == 3


def test_each_row_of_an_epoch_is_counted_once_although_keras_looks_ahead():
    keras.utils.set_random_seed(0)
    rows = labelled(160, seed=1)
    counted: list[int] = []
    fit = Fit(
        build_network(SIZES), lambda _: rows, rows, settings=QUICK, seed=0, on_rows=counted.append
    )
    for epoch in fit:
        assert sum(counted) == 160 * epoch.number


def test_a_fit_that_diverges_ends_and_prints_nothing(capfd):
    keras.utils.set_random_seed(0)
    network = build_network(SIZES)
    rows = labelled(160, seed=1)
    broken = replace(rows, weights=np.full(160, np.nan, np.float32))
    fit = Fit(network, lambda _: broken, rows, settings=QUICK, seed=0)
    assert len(list(fit)) == 1
    assert fit.state().stopped
    assert capfd.readouterr().out == ""
