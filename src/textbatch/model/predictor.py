"""From texts to calibrated probabilities: the network with everything around it."""

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

#: How far a golden row may be off: other processors round differently, a wrong model is far off.
GOLDEN_TOLERANCE: dict[Precision, float] = {"f32": 1e-4, "int8": 0.05}


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPredictions:
    """A chunk whose mini-batches are being computed.

    Attributes:
        status: Codes of `Status` per distinct text. Shape `(distinct,)`.
        distinct: Which distinct text each row has. Shape `(rows,)`.
        parts: Mini-batches of distinct texts, and their logits to come.
        addend: What the blend adds to the logits of the distinct texts, to come; None without one.
        num_labels: Width of the logits.
        temperature: Calibration's.
    """

    status: NDArray[np.int8]
    distinct: Int64Array
    parts: list[tuple[MiniBatch, Future[Float32Array]]]
    addend: Future[Float32Array] | None
    num_labels: int
    temperature: float

    def logits(self) -> tuple[Float32Array, NDArray[np.int8]]:
        """Wait for the mini-batches and put the rows back in order.

        Returns:
            Logits before calibration, NaN where there is no evidence, shape `(rows, labels)`;
            and status codes, shape `(rows,)`.

        Raises:
            BundleError: The network answered with NaN or infinity.
        """
        # The last two stand for null and undecodable texts.
        logits = np.full((len(self.status), self.num_labels), np.nan, np.float32)
        for batch, future in self.parts:
            answer = future.result()
            if not np.isfinite(answer).all():
                raise BundleError("the model answers with NaN or infinity", "train it again")
            logits[batch.rows] = answer
        if self.addend:
            logits[:-2] += self.addend.result()
        return logits[self.distinct], self.status[self.distinct]

    def result(self) -> Predictions:
        """Wait for the mini-batches; calibrated predictions in the order of the rows."""
        logits, status = self.logits()
        return Predictions(probabilities=softmax(logits, self.temperature), status=status)


class Predictor:
    """Answers for texts, from one classifier on one engine.

    A row's answer depends on its text alone: not on the rows around it, the size of the
    mini-batch or the number of threads. Owns worker threads: use it in a `with` statement.
    """

    def __init__(
        self, classifier: Classifier, engine: Engine, *, batch_tokens: int | None = None
    ) -> None:
        self.classifier = classifier
        self.engine = engine
        self._batch_tokens = batch_tokens or engine.batch_tokens
        self._tokenizer = classifier.tokenizer
        #: Tokens of the texts given to `start`, each row's, and the unknown ones among them.
        self.tokens_seen = self.unknown_tokens = 0
        self._pool = ThreadPoolExecutor(engine.workers, thread_name_prefix="textbatch-engine")

    def start(self, texts: pa.Array, undecodable: BoolArray | None = None) -> PendingPredictions:
        """Begin to score a chunk; mini-batches run while the caller goes on.

        Args:
            texts: Valid strings or null. Shape `(rows,)`.
            undecodable: True where null stands for bytes that are not UTF-8. Shape `(rows,)`.
        """
        encoded = texts.dictionary_encode()
        distinct_texts = encoded.dictionary
        tokens = self._tokenizer.encode(distinct_texts)
        known = _known_tokens(tokens)
        status = _status_of(distinct_texts, tokens, known)
        # Two more distinct "texts" stand for null and for undecodable bytes.
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
        """Logits before calibration and status codes of any number of texts.

        Args:
            texts: Valid strings or null. Shape `(rows,)`.
            on_rows: Told how many more are done.

        Returns:
            As `PendingPredictions.logits`.
        """
        chunks = []
        for start in range(0, max(1, len(texts)), CHUNK_ROWS):
            chunks.append(self.start(texts.slice(start, CHUNK_ROWS)).logits())
            on_rows(len(chunks[-1][1]))
        logits, status = zip(*chunks, strict=True)
        return np.concatenate(logits), np.concatenate(status)

    def replay(self, golden: Golden) -> None:
        """Answer a bundle's golden rows, and compare.

        Raises:
            BundleError: They come out differently.
        """
        counts = self.tokens_seen, self.unknown_tokens
        answers = self.predict(pa.array(golden.texts, pa.large_string())).probabilities
        self.tokens_seen, self.unknown_tokens = counts
        expected = np.array(golden.probabilities, np.float32).reshape(answers.shape)
        worst = float(np.abs(answers - expected).max(initial=0.0))
        # Not "worst >", which NaN would pass.
        if not worst <= GOLDEN_TOLERANCE[self.engine.precision]:
            raise BundleError(
                f"the model's golden rows are off by {worst:.2g} on {self.engine.name}",
                f"compare the versions in {LAYOUT.manifest} with `textbatch --version`, or train "
                "again",
            )

    def close(self) -> None:
        """Stop the worker threads; mini-batches not yet begun are dropped."""
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
    """How many tokens of each text the vocabulary holds. Shape `(texts,)`."""
    known_before: Int64Array = np.zeros(len(tokens.token_ids) + 1, np.int64)
    np.cumsum(tokens.token_ids != OOV_ID, out=known_before[1:])
    return known_before[tokens.offsets[1:]] - known_before[tokens.offsets[:-1]]


def _status_of(texts: pa.Array, tokens: TokenBatch, known: Int64Array) -> NDArray[np.int8]:
    """Status codes of distinct texts, before any confidence is known. Shape `(texts,)`."""
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
    """A predictor of a classifier; of a loaded bundle, `open_bundle` gives one.

    Args:
        classifier: What answers.
        batch_tokens: Padded tokens in a mini-batch; None for what suits the engine.
        **engine: As `open_engine` takes them.

    Raises:
        ConflictError: There is no such device, or no int8 for this network.
    """
    return Predictor(classifier, open_engine(classifier, **engine), batch_tokens=batch_tokens)


def open_bundle(
    bundle: Bundle, *, batch_tokens: int | None = None, **engine: Unpack[EngineOptions]
) -> Predictor:
    """A predictor of a bundle that has shown to answer here as it did where it was made.

    Args:
        bundle: As loaded.
        batch_tokens: Padded tokens in a mini-batch; None for what suits the engine.
        **engine: As `open_engine` takes them.

    Raises:
        BundleError: The golden rows come out differently.
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
