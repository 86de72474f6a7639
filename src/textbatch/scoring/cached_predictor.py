"""Predicts only the texts whose answers are not in a cache."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textbatch import __version__
from textbatch.data.json_text import json_text
from textbatch.data.output.answer_counts import WorkCounts
from textbatch.model.beside import NOTHING, Beside
from textbatch.model.bundle.directory import library_versions
from textbatch.model.options import EngineOptions
from textbatch.scoring.answer_cache import Answer, AnswerCache
from textbatch.scoring.bundles import Bundles
from textbatch.scoring.chunk_predictor import ChunkPredictor, EngineTold, Pending
from textbatch.types import BoolArray, Float32Array, Int64Array, Predictions


def scope_of(bundles: Bundles, options: EngineOptions, beside: Beside = NOTHING) -> str:
    """What decides the bits of an answer besides its text.

    Args:
        bundles: The models.
        options: What runs them.
        beside: What else is told of a text.
    """
    opening: dict[str, object] = {**options.opening()}
    del opening["threads"]  # they change no bit
    return json_text({
        "textbatch": __version__,
        "models": [one.fingerprint for one in bundles.each],
        "opening": opening,
        **({"beside": asdict(beside)} if beside.width else {}),
        "libraries": library_versions(),
        # Other processors round differently.
        "processor": _processor(),
    })  # fmt: skip


def _processor() -> list[str]:
    found = [platform.machine()]
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        kinds = (line for line in lines if line.startswith(("model name", "flags", "Features")))
        found += sorted(set(kinds))
    return found


class CachedPredictor:
    """A predictor, and a cache in front of it. Its owners close both.

    Attributes:
        in_flight: As of the predictor.
        cached_rows: Rows whose answers came from the cache.
    """

    def __init__(
        self,
        predictor: ChunkPredictor,
        cache: AnswerCache,
        widths: Sequence[int],
        extras: int = 0,
    ) -> None:
        """Nothing is asked yet.

        Args:
            predictor: Predicts what the cache does not know.
            cache: Of the same models, run in the same way.
            widths: How many probabilities each model gives.
            extras: How many numbers each model tells beside them, which are kept too.
        """
        self._predictor, self._cache = predictor, cache
        self._widths, self._extras = tuple(width + extras for width in widths), extras
        self.in_flight = predictor.in_flight
        self.cached_rows = 0

    @property
    def engine(self) -> EngineTold:
        """What runs the network."""
        return self._predictor.engine

    @property
    def work(self) -> Sequence[WorkCounts]:
        """What the predictor has done."""
        return self._predictor.work

    def start(self, texts: pa.Array, undecodable: BoolArray | None = None) -> Pending:
        """Look the texts of a chunk up, and begin to predict the others.

        Args:
            texts: Valid strings or null. Shape `(rows,)`.
            undecodable: True where a null means that the text is not UTF-8. Shape `(rows,)`.
        """
        encoded = texts.dictionary_encode()
        keys = [self._cache.key_of(text) for text in encoded.dictionary.to_pylist()]
        found = self._cache.find(keys)
        # Null and undecodable rows have no text: the predictor knows what they are.
        distinct = encoded.indices.cast(pa.int64()).fill_null(len(keys))
        distinct = distinct.to_numpy(zero_copy_only=False)
        known = np.array([*(key in found for key in keys), False])[distinct]
        asked = np.flatnonzero(~known)
        self.cached_rows += int(known.sum())
        pending = None
        if len(asked):
            pending = self._predictor.start(
                texts.take(pa.array(asked)), None if undecodable is None else undecodable[asked]
            )
        status, probabilities = self._tables(keys, found)
        return _Looked(
            cache=self._cache,
            widths=self._widths,
            extras=self._extras,
            keys=keys,
            distinct=distinct,
            asked=asked,
            status=status,
            probabilities=probabilities,
            pending=pending,
        )

    def _tables(
        self, keys: Sequence[bytes], found: dict[bytes, Answer]
    ) -> tuple[NDArray[np.int8], Float32Array]:
        """What is known, and lines without meaning for other texts and for none."""
        status = np.zeros((len(keys) + 1, len(self._widths)), np.int8)
        table = np.full((len(keys) + 1, sum(self._widths)), np.nan, np.float32)
        for place, key in enumerate(keys):
            if answer := found.get(key):
                status[place], table[place] = answer.status, answer.probabilities
        return status, table


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """A chunk of which some answers are known, and others are being predicted.

    Attributes:
        cache: Gets the new answers.
        widths: How many numbers each model gives: its probabilities, and what it tells beside.
        extras: How many of them are no probabilities.
        keys: Of the distinct texts.
        distinct: For each row the number of its text; one more for none. Shape `(rows,)`.
        asked: Rows that are predicted. Shape `(asked,)`.
        status: Of the known texts. Shape `(texts + 1, models)`.
        probabilities: Of the known texts. Shape `(texts + 1, labels of all models)`.
        pending: The predictions of the asked rows; None if there is none.
    """

    cache: AnswerCache
    widths: tuple[int, ...]
    extras: int
    keys: list[bytes]
    distinct: Int64Array
    asked: Int64Array
    status: NDArray[np.int8]
    probabilities: Float32Array
    pending: Pending | None

    def result(self) -> Predictions:
        """Wait for the predictions; note the new ones."""
        status, probabilities = self.status[self.distinct], self.probabilities[self.distinct]
        if self.pending is not None:
            each = self.pending.result().each
            status[self.asked] = np.stack([one.status for one in each], axis=1)
            probabilities[self.asked] = np.concatenate(
                [numbers for one in each for numbers in (one.probabilities, one.extras)
                 if numbers is not None],
                axis=1,
            )  # fmt: skip
            places, first = np.unique(self.distinct[self.asked], return_index=True)
            self.cache.add({
                self.keys[place]: Answer(status[row], probabilities[row])
                for place, row in zip(places.tolist(), self.asked[first].tolist(), strict=True)
                if place < len(self.keys)
            })  # fmt: skip
        ends = np.cumsum(self.widths)[:-1]
        parts = np.split(probabilities, ends, axis=1)
        return Predictions.together([
            self._apart(part, column) for part, column in zip(parts, status.T, strict=True)
        ])  # fmt: skip

    def _apart(self, numbers: Float32Array, status: NDArray[np.int8]) -> Predictions:
        labels = numbers.shape[1] - self.extras
        return Predictions(
            probabilities=np.ascontiguousarray(numbers[:, :labels]),
            status=np.ascontiguousarray(status),
            extras=np.ascontiguousarray(numbers[:, labels:]) if self.extras else None,
        )
