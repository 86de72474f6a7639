"""What a sceptic would use instead: scikit-learn's linear models, file to file with pandas."""

from __future__ import annotations

from collections.abc import Callable

import joblib
import numpy as np
import pandas as pd

from benchmarks.engine import FILE_TO_FILE, Answers, Engine, Job
from textbatch.model.bundle.bundle import load_bundle


class SimpleModel(Engine):
    """A pipeline of scikit-learn that is fitted to the training rows; pandas reads and writes."""

    covers, module, package = FILE_TO_FILE, "sklearn", "scikit-learn"
    # It is another model: its labels are its own.
    tolerance, agreement = float("inf"), 0.0
    processes = 1

    def prepare(self, job: Job) -> None:
        """Fit it."""
        rows = pd.read_parquet(job.training)
        labels = load_bundle(job.model).labels
        places = {label: place for place, label in enumerate(labels)}
        self._pipeline = self.pipeline().fit(
            rows["text"], rows["label"].astype(str).map(places).to_numpy()
        )
        self._labels = np.array(labels, object)
        self._source, self._output = job.source, job.folder / f"{self.key}.parquet"
        self._parallel = joblib.Parallel(n_jobs=self.processes, inner_max_num_threads=1)

    def run(self) -> None:
        """Read, label, write."""
        frame = pd.read_parquet(self._source)
        parts = np.array_split(frame["text"].to_numpy(), self.processes)
        found = (
            self._parallel(joblib.delayed(_best)(self._pipeline, part) for part in parts)
            if self.processes > 1
            else [_best(self._pipeline, parts[0])]
        )
        self._label_ids, margins = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        frame["predicted_label"] = self._labels[self._label_ids]
        frame["margin"] = margins
        frame.to_parquet(self._output)

    def answers(self) -> Answers:
        """Labels of the last run; margins are no confidences."""
        nothing = np.full(len(self._label_ids), np.nan, np.float32)
        return Answers(label_ids=self._label_ids.astype(np.int64), confidences=nothing)

    pipeline: Callable


class TfidfSvm(SimpleModel):
    """TF-IDF of words and pairs of words, and a linear support vector machine."""

    key, title = "tfidf-svm", "scikit-learn: TF-IDF (1–2 words) + `LinearSVC`"

    def pipeline(self):
        """Not fitted yet."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_pipeline
        from sklearn.svm import LinearSVC

        return make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LinearSVC())


class TfidfSvmParallel(TfidfSvm):
    """The same, the rows shared out to a process for each core."""

    key, title = "tfidf-svm-processes", "the same, a process for each core (`joblib`)"
    processes = joblib.cpu_count()


class HashingSgd(SimpleModel):
    """Hashed words and pairs of words, and a linear model fitted by stochastic gradient descent."""

    key, title = "hashing-sgd", "scikit-learn: `HashingVectorizer` + `SGDClassifier`"

    def pipeline(self):
        """Not fitted yet."""
        from sklearn.feature_extraction.text import HashingVectorizer
        from sklearn.linear_model import SGDClassifier
        from sklearn.pipeline import make_pipeline

        return make_pipeline(HashingVectorizer(ngram_range=(1, 2)), SGDClassifier(random_state=0))


def _best(pipeline, texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Label and margin of each text."""
    margins = pipeline.decision_function(texts)
    if margins.ndim == 1:  # two labels
        return (margins > 0).astype(np.int64), np.abs(margins)
    return margins.argmax(axis=1), margins.max(axis=1)
