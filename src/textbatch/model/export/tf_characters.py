"""Operations of TensorFlow on the characters of texts: tables, expansion, NFKC, `str.lower`.

The characters of all texts stand one after the other, with the number of their text beside them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from textbatch.model.export.unicode_tables import (
    PAIR_BITS,
    CharacterTable,
    Expansions,
    NormalForm,
    PythonLower,
)

#: A tensor of TensorFlow, which has no types.
Tensor = Any
_SIGMA, _FINAL_SIGMA = 0x3A3, 0x3C2


class Characters(NamedTuple):
    """Characters, and the text of each.

    Attributes:
        points: Code points. Shape `(characters,)`, int32.
        rows: Numbers of texts, ascending. Shape `(characters,)`, int64.
    """

    points: Tensor
    rows: Tensor


def look_up(table: CharacterTable, points: Tensor) -> Tensor:
    """The numbers of characters.

    Args:
        table: The table.
        points: Code points.
    """
    pages = tf.gather(tf.constant(table.pages), points // 256)
    return tf.gather(tf.constant(table.cells), pages * 256 + points % 256)


def expanded(tables: Expansions, given: Characters) -> Characters:
    """Replace characters by what they become.

    Args:
        tables: What they become.
        given: The characters.
    """
    counts = look_up(tables.counts, given.points)
    source = tf.repeat(tf.range(tf.size(counts)), counts)
    offset = tf.range(tf.size(source)) - tf.gather(tf.cumsum(counts, exclusive=True), source)
    start = tf.gather(look_up(tables.starts, given.points), source)
    made = tf.gather(tf.constant(tables.characters), tf.maximum(start, 0) + _inside(start, offset))
    points = tf.where(start < 0, tf.gather(given.points, source), made)
    return Characters(points, tf.gather(given.rows, source))


def _inside(start: Tensor, offset: Tensor) -> Tensor:
    return tf.where(start < 0, 0, offset)


def nfkc(tables: NormalForm, given: Characters) -> Characters:
    """Bring texts into NFKC. Texts that surely are in it stay as they are.

    Args:
        tables: Its tables.
        given: The characters.
    """
    unsure = look_up(tables.unsure, given.points) > 0

    def normalized() -> Characters:
        rows, _ = tf.unique(tf.boolean_mask(given.rows, unsure))
        last = tf.reduce_max(given.rows) + 1
        marked = tf.scatter_nd(rows[:, None], tf.ones_like(rows), last[None]) > 0
        mine = tf.gather(marked, given.rows)
        others = Characters(*(tf.boolean_mask(one, ~mine) for one in given))
        found = Characters(*(tf.boolean_mask(one, mine) for one in given))
        found = _composed(tables, _ordered(tables, expanded(tables.decomposed, found)))
        points, rows = (
            tf.concat([one, other], 0) for one, other in zip(others, found, strict=True)
        )
        order = tf.argsort(rows, stable=True)
        return Characters(tf.gather(points, order), tf.gather(rows, order))

    return Characters(*tf.cond(tf.reduce_any(unsure), normalized, lambda: given))


def _ordered(tables: NormalForm, given: Characters) -> Characters:
    """Sort the combining characters behind each starter."""
    order = tf.cast(look_up(tables.order, given.points), tf.int64)
    begins = tf.concat([[True], given.rows[1:] != given.rows[:-1]], 0)[: tf.size(order)]
    begins |= order == 0
    segment = tf.cumsum(tf.cast(begins, tf.int64))
    places = tf.argsort(segment * 256 + order, stable=True)
    return Characters(tf.gather(given.points, places), tf.gather(given.rows, places))


def _composed(tables: NormalForm, given: Characters) -> Characters:
    """Put characters together, in each text one after the other, from its beginning."""
    order = look_up(tables.order, given.points)
    index = tf.range(tf.size(order))
    keys, values = tf.constant(tables.pairs), tf.constant(tables.composed)
    texts = tf.reduce_max(given.rows) + 1

    def step(points: Tensor, alive: Tensor, bar: Tensor, _: Tensor) -> tuple[Tensor, ...]:
        before = _latest(alive, index)
        starter = _latest(alive & (order == 0), index)
        there = tf.maximum(starter, 0)
        same = alive & (starter >= 0) & (tf.gather(given.rows, there) == given.rows)
        between = tf.gather(order, tf.maximum(before, 0))
        blocked = (before != starter) & ((order == 0) | (between >= order))
        pair = tf.bitwise.left_shift(
            tf.cast(tf.gather(points, there), tf.int64), tf.constant(PAIR_BITS, tf.int64)
        ) | tf.cast(points, tf.int64)
        place = tf.minimum(tf.searchsorted(keys, pair), len(tables.pairs) - 1)
        may = same & ~blocked & (tf.gather(keys, place) == pair)
        may &= index > tf.gather(bar, given.rows)
        # The first in each text.
        first = tf.math.unsorted_segment_min(
            tf.where(may, index, tf.size(index)), given.rows, texts
        )
        chosen = may & (tf.gather(first, given.rows) == index)
        at = tf.boolean_mask(index, chosen)
        made = tf.gather(values, tf.boolean_mask(place, chosen))
        points = tf.tensor_scatter_nd_update(points, tf.boolean_mask(there, chosen)[:, None], made)
        alive &= ~chosen
        bar = tf.tensor_scatter_nd_update(bar, tf.boolean_mask(given.rows, chosen)[:, None], at)
        return points, alive, bar, tf.reduce_any(chosen)

    points, alive, _, _ = tf.while_loop(
        lambda *state: state[-1],
        step,
        (given.points, index >= 0, tf.fill(texts[None], -1), tf.size(index) > 0),
    )
    return Characters(tf.boolean_mask(points, alive), tf.boolean_mask(given.rows, alive))


def _latest(where: Tensor, index: Tensor) -> Tensor:
    """For each place the last one before it where something holds; -1 if there is none."""
    found = tf.where(where, index, -1)
    shifted = tf.concat([[-1], found[:-1]], 0)
    return tf.cast(_running_maximum(tf.cast(shifted, tf.int64)), tf.int32)


def _running_maximum(values: Tensor) -> Tensor:
    # Doubling: after k steps, each place knows the largest of 2^k values.
    def step(reach: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
        padded = tf.concat([tf.fill([tf.minimum(reach, tf.size(found))], _LEAST), found], 0)
        return reach * 2, tf.maximum(found, padded[: tf.size(found)])

    _, found = tf.while_loop(
        lambda reach, found: reach < tf.size(found),
        step,
        (tf.constant(1), values),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None])),
    )
    return found


_LEAST = np.int64(-1)


def lowered(tables: PythonLower, given: Characters) -> Characters:
    """`str.lower` of each text.

    Args:
        tables: Its tables.
        given: The characters.
    """
    points, rows = given
    is_sigma = points == _SIGMA

    def with_final() -> Tensor:
        kind = look_up(tables.cased, points)
        seen = tf.boolean_mask(tf.range(tf.size(points)), kind != 2)
        cased, texts = tf.gather(kind, seen) == 1, tf.gather(rows, seen)
        # A sigma is seen itself, so there is at least one.
        follows = tf.concat([(texts[1:] == texts[:-1]) & cased[1:], [False]], 0)
        precedes = tf.concat([[False], (texts[1:] == texts[:-1]) & cased[:-1]], 0)
        final = (tf.gather(points, seen) == _SIGMA) & precedes & ~follows
        at = tf.boolean_mask(seen, final)
        return tf.tensor_scatter_nd_update(
            points, at[:, None], tf.fill([tf.size(at)], _FINAL_SIGMA)
        )

    points = tf.cond(tf.reduce_any(is_sigma), with_final, lambda: points)
    return expanded(tables.lowered, Characters(points, rows))
