"""textbatch itself: the whole job, and its engine alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime

from benchmarks.engine import FILE_TO_FILE, Answers, Engine, Job
from textbatch.data.choices import CHUNK_ROWS
from textbatch.data.readers.source import open_source
from textbatch.model import engines
from textbatch.model.bundle.bundle import load_bundle
from textbatch.model.choices import PrecisionName
from textbatch.model.layout import LAYOUT
from textbatch.model.predictor import Predictor
from textbatch.scoring.chunks import predict_chunks, read_chunks
from textbatch.scoring.config import ScoreConfig
from textbatch.scoring.score import score
from textbatch.text.bucketing import MiniBatch
from textbatch.types import Float32Array


class Score(Engine):
    """`textbatch score` in process, loading the bundle included."""

    key, title, covers = "score", "**textbatch score**", FILE_TO_FILE
    precision: PrecisionName = "f32"
    early_exit = False

    def prepare(self, job: Job) -> None:
        """Settings as the command line has them by default."""
        self._labels = load_bundle(job.model).labels
        self._config = ScoreConfig(
            inputs=(job.source,),
            output=job.folder / f"{self.key}.parquet",
            model=job.model,
            text_column="text",
            if_exists="replace",
            precision=self.precision,
            early_exit=self.early_exit,
        )

    def run(self) -> None:
        """Score the file."""
        score(self._config)

    def answers(self) -> Answers:
        """Read from the output."""
        return Answers.in_file(self._config.output, self._labels)


class ScoreInt8(Score):
    """`textbatch score --precision int8`."""

    key, title = "score-int8", "**textbatch score --precision int8**"
    precision = "int8"
    tolerance, agreement = 0.05, 0.995


class ScoreEarlyExit(Score):
    """`textbatch score --early-exit`."""

    key, title = "score-early-exit", "**textbatch score --early-exit**"
    early_exit = True
    tolerance, agreement = 1.0, 0.99


class ScoreFast(Score):
    """`textbatch score --precision fast`."""

    key, title = "score-fast", "**textbatch score --precision fast**"
    precision = "fast"
    tolerance, agreement = 1.0, 0.99


class _Recorder:
    """An engine that keeps the mini-batches that it is given; see `textbatch.model.engines`."""

    name, device, precision = "onnx", "cpu", "f32"

    def __init__(self, engine: engines.Engine) -> None:
        self.workers, self.batch_tokens = engine.workers, engine.batch_tokens
        self._engine = engine
        self.batches: list[MiniBatch] = []

    def predict_logits(self, batch: MiniBatch) -> Float32Array:
        """Answer and keep."""
        self.batches.append(batch)
        return self._engine.predict_logits(batch)


class Bare(Engine):
    """The mini-batches of `score` on the same threads: no reading, tokenizing, writing."""

    key, title = "bare", "textbatch's engine alone"

    def prepare(self, job: Job) -> None:
        """Cut the mini-batches as `score` does."""
        classifier = load_bundle(job.model).classifier
        self.engine = engines.open_engine(classifier)
        recorder = _Recorder(self.engine)
        with Predictor(classifier, recorder) as predictor:
            chunks = read_chunks(open_source(job.source, "auto"), "text", ["text"], CHUNK_ROWS)
            answers = [found.probabilities for _, found in predict_chunks(chunks, predictor)]
        self._answers = Answers.of(np.concatenate(answers))
        self.batches = recorder.batches

    def run(self) -> None:
        """Answer all mini-batches."""
        with ThreadPoolExecutor(self.engine.workers) as pool:
            for _ in pool.map(self.engine.predict_logits, self.batches):
                pass

    def answers(self) -> Answers:
        """Those found while the mini-batches were cut."""
        return self._answers


class Fused(Bare):
    """The same mini-batches on the bundle's own graph, of ONNX's fused GRU and LSTM."""

    key, title = "onnx-sorted", "ONNX Runtime fused, sorted, on the same threads"

    def prepare(self, job: Job) -> None:
        """Load the graph from the bundle, one thread a call."""
        super().prepare(job)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            job.model / LAYOUT.graph, options, providers=["CPUExecutionProvider"]
        )
        self._workers = self.engine.workers

    def run(self) -> None:
        """Answer all mini-batches."""
        with ThreadPoolExecutor(self._workers) as pool:
            for _ in pool.map(self._logits, self.batches):
                pass

    def _logits(self, batch: MiniBatch) -> Float32Array:
        feeds = {"token_ids": np.ascontiguousarray(batch.token_ids.T), "lengths": batch.lengths}
        return self._session.run(["logits"], feeds)[0]
