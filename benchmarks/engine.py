"""What all measured engines have in common: the job, the answers, the shape of an engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from textbatch.model.bundle.bundle import Bundle, load_bundle
from textbatch.model.quality.calibration import softmax
from textbatch.text.bucketing import pad
from textbatch.types import Float32Array, Int32Array, Int64Array

FILE_TO_FILE, IDS_TO_LOGITS = "file → file", "ids → logits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What every engine is asked to do.

    Attributes:
        model: The bundle whose weights all engines share.
        source: Parquet file with the columns `id` and `text`.
        training: Labelled Parquet file, for engines of another model class.
        folder: For what an engine writes.
    """

    model: Path
    source: Path
    training: Path
    folder: Path

    def texts(self):
        """The texts as one Arrow array. Shape `(rows,)`."""
        return pq.read_table(self.source, columns=["text"])["text"].combine_chunks()

    def padded_ids(self, bundle: Bundle) -> tuple[Int32Array, Int32Array]:
        """Token ids padded to the length limit, `(rows, limit)`, and real lengths, `(rows,)`."""
        tokens = bundle.classifier.tokenizer.encode(self.texts())
        batch = pad(tokens, np.arange(len(tokens)))
        limit = bundle.classifier.architecture.max_sequence_length
        missing = limit - batch.token_ids.shape[1]
        # Peers crash on rows without a token; textbatch does not ask the network about those.
        return np.pad(batch.token_ids, ((0, 0), (0, missing))), np.maximum(batch.lengths, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Labels with their confidences.

    Attributes:
        label_ids: -1 where the job gave no label. Shape `(rows,)`.
        confidences: Shape `(rows,)`.
    """

    label_ids: Int64Array
    confidences: Float32Array

    @classmethod
    def of(cls, probabilities: Float32Array) -> Answers:
        """The best label of each row; NaN means none. Shape `(rows, labels)`."""
        best = probabilities.max(axis=1)
        label_ids = np.where(np.isnan(best), -1, probabilities.argmax(axis=1))
        return cls(label_ids=label_ids, confidences=best)

    @classmethod
    def in_file(cls, path: Path, labels: tuple[str, ...]) -> Answers:
        """The answers that a job wrote to its output."""
        table = pq.read_table(path, columns=["predicted_label", "confidence"])
        names = table["predicted_label"].cast("string").combine_chunks()
        found = pc.index_in(names, value_set=pa.array(labels)).fill_null(-1)
        return cls(
            label_ids=found.to_numpy(zero_copy_only=False).astype(np.int64),
            confidences=table["confidence"].to_numpy(),
        )

    def compare(self, reference: Answers) -> tuple[int, float]:
        """How many labels differ, and the largest |Δp|, where the reference has a label."""
        rows = reference.label_ids >= 0
        flips = int((self.label_ids[rows] != reference.label_ids[rows]).sum())
        gaps = np.abs(self.confidences[rows] - reference.confidences[rows])
        return flips, float(gaps.max(initial=0.0))


class Engine(ABC):
    """A way to label texts. Made in one process, prepared and run in another.

    Attributes:
        key: Its name for `--engines`.
        title: Its name in the table.
        covers: What a run goes through.
        module: What must be importable, if that is not part of textbatch.
        package: What to install for it.
        tolerance: How far its confidences may be from textbatch's.
        agreement: Share of labels that must be textbatch's.
    """

    key: str
    title: str
    covers: str = IDS_TO_LOGITS
    module: str = ""
    package: str = ""
    tolerance: float = 1e-4
    agreement: float = 1.0

    @abstractmethod
    def prepare(self, job: Job) -> None:
        """Import, load and build; not timed."""

    @abstractmethod
    def run(self) -> None:
        """Do the whole job once; timed."""

    def answers(self) -> Answers | None:
        """What the last run answered; None if that cannot be compared."""
        return None


class PaddedEngine(Engine):
    """The network alone, on padded arrays, rows in their own order, 256 at a time."""

    batch_size = 256

    def prepare(self, job: Job) -> None:
        """Build the network and the arrays."""
        bundle = load_bundle(job.model)
        self._temperature = bundle.calibration.temperature
        self._token_ids, self._lengths = job.padded_ids(bundle)
        self._answers = np.empty((len(self._lengths), len(bundle.labels)), np.float32)
        self.build(bundle, job)

    def run(self) -> None:
        """Answer mini-batch by mini-batch."""
        for start in range(0, len(self._lengths), self.batch_size):
            rows = slice(start, start + self.batch_size)
            self._answers[rows] = self.logits(self._token_ids[rows], self._lengths[rows])

    def answers(self) -> Answers:
        """Of the last run."""
        return Answers.of(softmax(self._answers, self._temperature))

    @abstractmethod
    def build(self, bundle: Bundle, job: Job) -> None:
        """Make the network ready."""

    @abstractmethod
    def logits(self, token_ids: Int32Array, lengths: Int32Array) -> Float32Array:
        """Logits `(batch, labels)` of token ids `(batch, limit)` and lengths `(batch,)`."""
