"""From texts to calibrated probabilities: tokenizer, network, linear model and temperature."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypedDict, Unpack

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textbatch.data.choices import CHUNK_ROWS
from textbatch.errors import BundleError
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.classifier import Classifier
from textbatch.model.bundle.records import Golden
from textbatch.model.choices import DeviceName, EngineName, Precision
from textbatch.model.engines import Engine, check_int8, open_engine
from textbatch.model.layout import LAYOUT
from textbatch.model.quality.calibration import softmax
from textbatch.text.bucketing import MiniBatch, mini_batches
from textbatch.text.normalization import WHITE_SPACE
from textbatch.text.vocabulary import OOV_ID
from textbatch.types import (
    BoolArray,
    Float32Array,
    Int64Array,
    Predictions,
    Status,
    TokenBatch,
    has_evidence,
)

#: Largest difference of a golden row. Other processors round differently; a wrong model differs
#: much more.
GOLDEN_TOLERANCE: dict[Precision, float] = {"f32": 1e-4, "int8": 0.05}


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPredictions:
    """A chunk whose mini-batches are being computed.

    Attributes:
        status: Codes of `Status` for the distinct texts. Shape `(distinct,)`.
        distinct: For each row the number of its distinct text. Shape `(rows,)`.
        parts: Mini-batches of distinct texts, and their future logits.
        addend: What the linear model will add to the logits of the distinct texts; None without a
            linear model.
        num_labels: Width of the logits.
        temperature: Logits are divided by it.
    """

    status: NDArray[np.int8]
    distinct: Int64Array
    parts: list[tuple[MiniBatch, Future[Float32Array]]]
    addend: Future[Float32Array] | None
    num_labels: int
    temperature: float

    def logits(self) -> tuple[Float32Array, NDArray[np.int8]]:
        """Wait for the mini-batches, and put the rows back into order.

        Returns:
            Logits before calibration, NaN without evidence, shape `(rows, labels)`; and status
            codes, shape `(rows,)`.

        Raises:
            BundleError: The model answered with NaN or infinity.
        """
        # The last two are for null and undecodable texts.
        logits = np.full((len(self.status), self.num_labels), np.nan, np.float32)
        for batch, future in self.parts:
            logits[batch.rows] = future.result()
        if self.addend:
            with np.errstate(all="ignore"):
                logits[:-2] += self.addend.result()
        if not np.isfinite(logits[has_evidence(self.status)]).all():
            raise BundleError("the model answers with NaN or infinity", "train it again")
        return logits[self.distinct], self.status[self.distinct]

    def result(self) -> Predictions:
        """Wait for the mini-batches. Return calibrated predictions in the order of the rows."""
        logits, status = self.logits()
        return Predictions(probabilities=softmax(logits, self.temperature), status=status)


class Predictor:
    """Answers texts with one classifier on one engine.

    The answer for a row depends on its text alone: not on other rows, the size of the mini-batch or
    the number of threads. A predictor has worker threads, so use it in a `with` statement.

    Args:
        classifier: What answers.
        engine: What runs its network.
        batch_tokens: Limit on the padded tokens of a mini-batch; None for the engine's best.
    """

    def __init__(
        self, classifier: Classifier, engine: Engine, *, batch_tokens: int | None = None
    ) -> None:
        self.classifier = classifier
        self.engine = engine
        self._batch_tokens = batch_tokens or engine.batch_tokens
        self._tokenizer = classifier.tokenizer
        #: Number of tokens in the texts given to `start`, and of unknown tokens among them.
        self.tokens_seen = self.unknown_tokens = 0
        self._pool = ThreadPoolExecutor(engine.workers, thread_name_prefix="textbatch-engine")

    def start(self, texts: pa.Array, undecodable: BoolArray | None = None) -> PendingPredictions:
        """Begin to score a chunk. Its mini-batches run while the caller does other work.

        Args:
            texts: Valid strings or null. Shape `(rows,)`.
            undecodable: True where a null means that the text is not UTF-8. Shape `(rows,)`.
        """
        encoded = texts.dictionary_encode()
        distinct_texts = encoded.dictionary
        tokens = self._tokenizer.encode(distinct_texts)
        known = _known_tokens(tokens)
        status = _status_of(distinct_texts, tokens, known)
        # Two more distinct "texts" mean null and undecodable.
        null, bad = len(status), len(status) + 1
        distinct = encoded.indices.cast(pa.int64()).fill_null(null).to_numpy(zero_copy_only=False)
        if undecodable is not None:
            distinct = np.where(undecodable, bad, distinct)
        self._count(tokens.lengths, known, distinct)
        rows = np.flatnonzero(has_evidence(status))
        blend = self.classifier.blend
        parts = [
            (batch, self._pool.submit(self.engine.predict_logits, batch))
            for batch in mini_batches(tokens, rows, max_padded_tokens=self._batch_tokens)
        ]
        return PendingPredictions(
            status=np.append(status, [Status.NULL_TEXT, Status.BAD_TEXT]).astype(np.int8),
            distinct=distinct,
            parts=parts,
            addend=self._pool.submit(blend.addend, tokens) if blend else None,
            num_labels=len(self.classifier.labels),
            temperature=self.classifier.temperature,
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

    def replay(self, golden: Golden) -> None:
        """Answer the golden rows of a bundle, and compare the answers.

        Raises:
            BundleError: The answers differ.
        """
        counts = self.tokens_seen, self.unknown_tokens
        answers = self.predict(pa.array(golden.texts, pa.large_string())).probabilities
        self.tokens_seen, self.unknown_tokens = counts
        expected = np.array(golden.probabilities, np.float32).reshape(answers.shape)
        worst = float(np.abs(answers - expected).max(initial=0.0))
        # In this form NaN fails too.
        if not worst <= GOLDEN_TOLERANCE[self.engine.precision]:
            raise BundleError(
                "the model's golden rows (texts whose answers it must give again) are off by "
                f"{worst:.2g} on {self.engine.name}",
                f"compare the versions in {LAYOUT.manifest} with `textbatch --version`, or train "
                "again",
            )

    def close(self) -> None:
        """Stop the worker threads. Mini-batches that have not begun are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _count(self, lengths: Int64Array, known: Int64Array, distinct: Int64Array) -> None:
        rows = np.bincount(distinct, minlength=len(lengths))[: len(lengths)]
        seen = int(lengths @ rows)
        self.tokens_seen += seen
        self.unknown_tokens += seen - int(known @ rows)


def _known_tokens(tokens: TokenBatch) -> Int64Array:
    """Count the known tokens of each text. Shape `(texts,)`."""
    known_before: Int64Array = np.zeros(len(tokens.token_ids) + 1, np.int64)
    np.cumsum(tokens.token_ids != OOV_ID, out=known_before[1:])
    return known_before[tokens.offsets[1:]] - known_before[tokens.offsets[:-1]]


def _status_of(texts: pa.Array, tokens: TokenBatch, known: Int64Array) -> NDArray[np.int8]:
    """Status codes of distinct texts, before their confidence is known. Shape `(texts,)`."""
    status = np.where(tokens.truncated, Status.TRUNCATED, Status.OK).astype(np.int8)
    status[known == 0] = Status.NO_KNOWN_TOKENS
    without_tokens = np.flatnonzero(tokens.lengths == 0)
    if len(without_tokens):
        trimmed = pc.utf8_trim(texts.take(pa.array(without_tokens)), characters=WHITE_SPACE)
        blank = pc.equal(trimmed, "").to_numpy(zero_copy_only=False)
        status[without_tokens[blank]] = Status.EMPTY_TEXT
    return status


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
    bundle: Bundle, *, batch_tokens: int | None = None, **engine: Unpack[EngineOptions]
) -> Predictor:
    """Make a predictor from a bundle, and check that its golden rows get the same answers here.

    Args:
        bundle: A loaded bundle.
        batch_tokens: Limit on the padded tokens of a mini-batch; None for the engine's best.
        **engine: Options of `open_engine`.

    Raises:
        BundleError: The golden rows get other answers.
        ConflictError: There is no such device, or no int8 for this network.
        QualityGateError: int8 changed too many labels when the bundle was made.
    """
    if engine.get("precision") == "int8":
        check_int8(bundle)
    predictor = open_predictor(bundle.classifier, batch_tokens=batch_tokens, **engine)
    try:
        predictor.replay(bundle.golden)
    except BaseException:
        predictor.close()
        raise
    return predictor
