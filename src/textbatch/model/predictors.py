"""Several models that answer the same texts, which are looked at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self, Unpack

import pyarrow as pa

from textbatch.data.output.answer_counts import WorkCounts
from textbatch.errors import TextbatchError
from textbatch.model.beside import NOTHING, Beside
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.distinct_texts import DistinctTexts
from textbatch.model.engines import Engine
from textbatch.model.options import OpeningOptions
from textbatch.model.pending import PendingPredictions
from textbatch.model.predictor import Predictor, open_bundle
from textbatch.text.tokenizer import SplitTexts, Splitting
from textbatch.types import BoolArray, Predictions


@dataclass(frozen=True, slots=True)
class PendingOfEach:
    """A chunk whose mini-batches are being computed by each model.

    Attributes:
        each: What each model computes.
    """

    each: tuple[PendingPredictions, ...]

    def result(self) -> Predictions:
        """Wait for all of them: the predictions of the first model, with those of the others."""
        return Predictions.together([one.result() for one in self.each])


class Predictors:
    """Answers texts with one model or several. The answers of each are those that it gives alone.

    What a chunk has of distinct texts is found once, and they are split into tokens once for all
    models that split in the same way. Each model has its own vocabulary.

    Attributes:
        each: The predictor of each model.
        in_flight: How many chunks keep the threads busy while the next one is read.
        cached_rows: None: a cache stands in front of it.
    """

    in_flight = Predictor.in_flight
    cached_rows = 0

    def __init__(self, each: Sequence[Predictor], beside: Beside = NOTHING) -> None:
        """Take the predictors; `close` closes them.

        Args:
            each: At least one.
            beside: What is told of each row beside its probabilities.

        Raises:
            TextbatchError: A model cannot tell this.
        """
        self.each, self._beside = tuple(each), beside
        for one in self.each:
            beside.check(one)
        # They share their threads, except where another number suits an engine.
        first = self.each[0]
        for one in self.each[1:]:
            if one.engine.workers == first.engine.workers:
                one.pool.shutdown()
                one.pool = first.pool

    @property
    def engine(self) -> Engine:
        """What runs the first network; the precision is the same for all."""
        return self.each[0].engine

    @property
    def work(self) -> list[WorkCounts]:
        """What each model has done so far."""
        return [
            WorkCounts(
                tokens=one.seen.tokens,
                unknown=one.seen.unknown,
                early=one.early_rows,
                spread=one.seen,
            )
            for one in self.each
        ]

    def start(self, texts: pa.Array, undecodable: BoolArray | None = None) -> PendingOfEach:
        """Begin to score a chunk. Its mini-batches run while the caller does other work.

        Args:
            texts: Valid strings or null. Shape `(rows,)`.
            undecodable: True where a null means that the text is not UTF-8. Shape `(rows,)`.
        """
        distinct = DistinctTexts.of(texts, undecodable)
        split: dict[Splitting, SplitTexts] = {}
        pending = []
        for one in self.each:
            way = one.tokenizer.splitting
            if way not in split:
                split[way] = one.tokenizer.split(distinct.texts)
            pending.append(one.start_split(distinct, split[way], self._beside))
        return PendingOfEach(tuple(pending))

    def close(self) -> None:
        """Stop the worker threads. Mini-batches that have not begun are dropped."""
        for one in self.each:
            one.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_bundles(
    names: Sequence[str],
    bundles: Sequence[Bundle],
    *,
    batch_tokens: int | None = None,
    beside: Beside = NOTHING,
    **opening: Unpack[OpeningOptions],
) -> Predictors:
    """Open several bundles; see `open_bundle`.

    Args:
        names: The name of each, for messages; empty for a model without one.
        bundles: Loaded bundles.
        batch_tokens: See `open_bundle`.
        beside: See `Predictors`.
        **opening: See `open_bundle`.

    Raises:
        TextbatchError: See `open_bundle`.
    """
    each: list[Predictor] = []
    try:
        for name, bundle in zip(names, bundles, strict=True):
            with told_of(name):
                each.append(open_bundle(bundle, batch_tokens=batch_tokens, **opening))
    except BaseException:
        for one in each:
            one.close()
        raise
    return Predictors(each, beside)


@contextmanager
def told_of(name: str) -> Iterator[None]:
    """Begin the error of a model with its name, where a run has several.

    Args:
        name: The name; empty for a model without one.
    """
    try:
        yield
    except TextbatchError as error:
        if name:
            error.what = f"model {name}: {error.what}"
        raise
