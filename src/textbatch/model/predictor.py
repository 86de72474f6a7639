"""From texts to calibrated probabilities: tokenizer, network, linear model and temperature."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Self, TypedDict, Unpack

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textbatch.data.choices import CHUNK_ROWS
from textbatch.data.output.signs import UnknownTokens
from textbatch.model.beside import NOTHING, Beside
from textbatch.model.bundle.blend import Blend
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.choices import DeviceName, EngineName, Precision
from textbatch.model.distinct_texts import DistinctTexts
from textbatch.model.engines import Engine, check_int8, early_exit_of, open_engine
from textbatch.model.linear.early_exit import ExitRule
from textbatch.model.pending import NetworkParts, PendingPredictions, Shares, submit_of
from textbatch.model.quality.novelty import Novelty
from textbatch.model.quality.reference import unknown_tokens
from textbatch.model.replay import replay
from textbatch.model.statuses import known_tokens, status_of
from textbatch.text.bucketing import mini_batches, slices
from textbatch.text.choices import OnLong
from textbatch.text.long_texts import windows_of
from textbatch.text.tokenizer import SplitTexts
from textbatch.types import (
    BoolArray,
    Float32Array,
    Int64Array,
    Predictions,
    Status,
    TokenBatch,
    has_evidence,
)

#: Rows that one call to the linear model has at least, where there are so many.
_LEAST_ROWS = 512


class Predictor:
    """Answers texts with one classifier on one engine.

    The answer for a row depends on its text alone: not on other rows, the size of the mini-batch or
    the number of threads. A predictor has worker threads, so use it in a `with` statement.

    Attributes:
        in_flight: How many chunks keep its threads busy while the next one is read.

    Args:
        classifier: What answers.
        engine: What runs its network.
        batch_tokens: Limit on the padded tokens of a mini-batch; None for the engine's best.
        exits: Which rows the linear model answers alone; None for no row.
    """

    in_flight = 2

    def __init__(
        self,
        classifier: Classifier,
        engine: Engine,
        *,
        batch_tokens: int | None = None,
        exits: ExitRule | None = None,
    ) -> None:
        self.classifier = classifier
        self.engine = engine
        self.tokenizer = classifier.tokenizer
        self._batch_tokens = batch_tokens or engine.batch_tokens
        #: Of the texts given to `start`: their tokens, and rows that the linear model answered.
        self.seen, self.early_rows = UnknownTokens(), 0
        self.exits, self._closed = exits, False
        #: What ordinary texts are like, where the bundle knows it.
        self.novelty: Novelty | None = None
        self.pool = ThreadPoolExecutor(engine.workers, thread_name_prefix="textbatch-engine")

    def start(self, texts: pa.Array, undecodable: BoolArray | None = None) -> PendingPredictions:
        """Begin to score a chunk. Its mini-batches run while the caller does other work.

        Args:
            texts: Valid strings or null. Shape `(rows,)`.
            undecodable: True where a null means that the text is not UTF-8. Shape `(rows,)`.
        """
        distinct = DistinctTexts.of(texts, undecodable)
        return self.start_split(distinct, self.tokenizer.split(distinct.texts))

    def start_split(
        self, given: DistinctTexts, split: SplitTexts, beside: Beside = NOTHING
    ) -> PendingPredictions:
        """Begin to score a chunk whose texts are split by now; see `start`.

        Args:
            given: The texts of the chunk.
            split: Their tokens, from a tokenizer that splits as this predictor's does.
            beside: What else is to be told of the rows.
        """
        tokens = self.tokenizer.encode_split(split)
        known = known_tokens(tokens)
        status = status_of(given.texts, tokens, known, self.tokenizer)
        self.seen += unknown_tokens(tokens.lengths, known, given.rows)
        rows = np.flatnonzero(has_evidence(status))
        return PendingPredictions(
            status=np.append(status, [Status.NULL_TEXT, Status.BAD_TEXT]).astype(np.int8),
            distinct=given.numbers,
            shares=self.shares(tokens, rows, self.exits),
            num_labels=len(self.classifier.labels),
            calibrated=self.classifier.probabilities,
            on_early=self._count_early,
            extras=beside.told(tokens, rows, self),
        )

    def predict(self, texts: pa.Array) -> Predictions:
        """Score texts and wait. Shape of `texts`: `(rows,)`."""
        return self.start(texts).result()

    def predict_logits(
        self, texts: pa.Array, *, on_rows: Callable[[int], None] = lambda _: None
    ) -> tuple[Float32Array, NDArray[np.int8]]:
        """Compute logits before calibration, and status codes, of any number of texts.

        Args:
            texts: Valid strings or null. Shape `(rows,)`.
            on_rows: Called with the number of rows that were done since the last call.

        Returns:
            See `PendingPredictions.logits`.
        """
        chunks = []
        for start in range(0, max(1, len(texts)), CHUNK_ROWS):
            chunks.append(self.start(texts.slice(start, CHUNK_ROWS)).logits())
            on_rows(len(chunks[-1][1]))
        logits, status = zip(*chunks, strict=True)
        return np.concatenate(logits), np.concatenate(status)

    def shares(
        self, tokens: TokenBatch, rows: Int64Array, exits: ExitRule | None
    ) -> Callable[[], Shares]:
        """Begin to compute the logits of rows.

        Args:
            tokens: Tokens of the distinct texts.
            rows: Those of them that have evidence. Shape `(rows,)`.
            exits: Which of them the linear model answers alone; None for none.
        """
        blend = self.classifier.blend
        if exits is None or blend is None:
            network = self._network(tokens, rows)
            submit = submit_of(self.pool, len(rows), closed=self._closed)
            addend = submit(blend.addend, tokens).result if blend and blend.weight > 0 else None
            shares = Shares(network=network, addend=addend)
            return lambda: shares
        at_once = -(-len(tokens) // self.engine.workers)
        margins = [
            self.pool.submit(blend.model.margins, part)
            for part in slices(tokens, max(_LEAST_ROWS, at_once))
        ]
        # It waits for the calls before it, which have begun or are done when its turn has come.
        return self.pool.submit(self._rest, tokens, rows, margins, exits, blend).result

    def _rest(
        self,
        tokens: TokenBatch,
        rows: Int64Array,
        parts: list[Future[Float32Array]],
        exits: ExitRule,
        blend: Blend,
    ) -> Shares:
        """Give the network what the linear model does not answer alone.

        Args:
            tokens: Tokens of the distinct texts.
            rows: Those of them that have evidence. Shape `(rows,)`.
            parts: The margins of all texts, in parts.
            exits: Which of them the linear model answers alone.
            blend: The linear model.
        """
        margins = np.concatenate([part.result() for part in parts])
        leaving = exits.leaving(margins[rows])
        early = rows[leaving]
        scale = np.float32(self.classifier.temperature / exits.temperature)
        return Shares(
            network=self._network(tokens, rows[~leaving]),
            addend=partial(blend.weighted, margins) if blend.weight else None,
            early=early,
            early_logits=margins[early] * scale,
        )

    def _network(self, tokens: TokenBatch, rows: Int64Array) -> NetworkParts:
        windows = None
        if self.tokenizer.part == "window":
            windows = windows_of(tokens, rows, self.tokenizer.max_sequence_length)
            tokens, rows = windows.tokens, np.arange(len(windows.tokens))
        submit = submit_of(self.pool, len(rows), closed=self._closed)
        batches = [
            (batch, submit(self.engine.predict_logits, batch))
            for batch in mini_batches(tokens, rows, max_padded_tokens=self._batch_tokens)
        ]
        return NetworkParts(batches=batches, windows=windows)

    def _count_early(self, rows: int) -> None:
        self.early_rows += rows

    def close(self) -> None:
        """Stop the worker threads. Mini-batches that have not begun are dropped."""
        self._closed = True
        self.pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class EngineOptions(TypedDict, total=False):
    """What runs the network: see `open_engine`."""

    name: EngineName
    device: DeviceName
    threads: int | None
    precision: Precision


def open_predictor(
    classifier: Classifier, *, batch_tokens: int | None = None, **engine: Unpack[EngineOptions]
) -> Predictor:
    """Make a predictor from a classifier. For a loaded bundle use `open_bundle`.

    Args:
        classifier: What answers.
        batch_tokens: Limit on the padded tokens of a mini-batch; None for the engine's best.
        **engine: Options of `open_engine`.

    Raises:
        ConflictError: There is no such device, or no int8 for this network.
    """
    return Predictor(classifier, open_engine(classifier, **engine), batch_tokens=batch_tokens)


def open_bundle(
    bundle: Bundle,
    *,
    batch_tokens: int | None = None,
    early_exit: bool = False,
    on_long: OnLong = "auto",
    **engine: Unpack[EngineOptions],
) -> Predictor:
    """Make a predictor from a bundle, and check that its golden rows get the same answers here.

    Args:
        bundle: A loaded bundle.
        batch_tokens: Limit on the padded tokens of a mini-batch; None for the engine's best.
        early_exit: Whether the linear model answers alone where the network would not change the
            label.
        on_long: What becomes of texts with more tokens than the network reads.
        **engine: Options of `open_engine`.

    Raises:
        BundleError: The golden rows get other answers.
        ConflictError: There is no such device, or no int8 for this network.
        QualityGateError: int8 or early exit changed too many labels when the bundle was made, or
            nobody compared.
    """
    precision = engine.get("precision", "f32")
    if precision == "int8":
        check_int8(bundle)
    exits = early_exit_of(bundle, precision) if early_exit else None
    predictor = open_predictor(bundle.classifier, batch_tokens=batch_tokens, **engine)
    try:
        replay(predictor, bundle.golden)
        if exits:
            predictor.exits = exits.rule
            replay(predictor, exits.golden)
        predictor.novelty = bundle.novelty
        # The golden rows have their answers from the way that the model was trained.
        if on_long != "auto":
            predictor.tokenizer = replace(predictor.tokenizer, on_long=on_long)
    except BaseException:
        predictor.close()
        raise
    return predictor
