"""Answers to a few texts from the command line."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np

from textbatch.data.multi_options import refuse_others
from textbatch.data.readers.text_column import decode_texts
from textbatch.data.strict_json import to_json
from textbatch.errors import DataError, UsageError, storage_errors
from textbatch.model.bundle.fetch import load_model
from textbatch.model.predictor import Predictor, open_bundle
from textbatch.model.quality.multi_label import given_labels
from textbatch.scoring.multi_label import MODEL_OPTIONS, WITH_SUCH_A_MODEL
from textbatch.scoring.python_values import texts_of
from textbatch.scoring.show_options import PredictOptions
from textbatch.types import Status, has_evidence

#: Lines of standard input that are answered together.
_CHUNK_LINES = 1024
_BEST = 3
_STANDARD_INPUT = "-"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BestLabel:
    """A label that a text may have.

    Attributes:
        label: The label.
        confidence: Its calibrated probability.
    """

    label: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one text.

    Attributes:
        text: The text; bytes that are not UTF-8 are replaced.
        status: As in the output of `score`.
        labels: The best labels, best first; empty where the text gives no evidence. Of a model that
            gives a text any number of labels exactly these, which may be none.
    """

    text: str
    status: str
    labels: tuple[BestLabel, ...]

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain JSON values."""
        record: dict[str, Any] = to_json(self)
        return record


def predict_texts(asked: PredictOptions) -> Iterator[Answer]:
    """Answer texts.

    Args:
        asked: The texts and the model. The text `-` stands for the lines of standard input.

    Yields:
        The answers, in order.

    Raises:
        UsageError: There is no text.
        DataError: Standard input is UTF-16.
        BundleError: The model is missing, damaged or unsafe.
        StorageError: Standard input cannot be read.
    """
    if not asked.texts:
        raise UsageError("no text", "give one in quotes, or - for the lines of standard input")
    bundle = load_model(asked.model, several=True)
    if bundle.classifier.multi_label:
        refuse_others(asked, MODEL_OPTIONS | {"texts"}, WITH_SUCH_A_MODEL)
    predictor = open_bundle(bundle, **asked.opening())
    with predictor:
        texts = chain.from_iterable(map(_lines_of, asked.texts))
        while chunk := list(islice(texts, _CHUNK_LINES)):
            yield from _answers(chunk, predictor, bundle.labels)


def _lines_of(text: str) -> Iterable[bytes]:
    if text != _STANDARD_INPUT:
        # What was no UTF-8 on the command line is what it was again.
        return [text.encode("utf-8", "surrogateescape")]
    return _lines()


def _lines() -> Iterator[bytes]:
    with storage_errors("standard input", "cannot read"):
        for number, line in enumerate(sys.stdin.buffer):
            if not number:
                if line.startswith(_UTF16) and b"\0" in line:
                    raise DataError("standard input is UTF-16, not UTF-8", "convert it to UTF-8")
                line = line.removeprefix(codecs.BOM_UTF8)
            yield line.rstrip(b"\r\n")


def _answers(texts: list[bytes], predictor: Predictor, labels: tuple[str, ...]) -> Iterator[Answer]:
    found = predictor.start(*decode_texts(texts_of(texts))).result()
    order = np.argsort(-found.probabilities, axis=1, kind="stable")
    several = predictor.classifier.multi_label
    if several:
        counts = given_labels(found.probabilities, several.thresholds)
    else:
        order = order[:, :_BEST]
    evidence = has_evidence(found.status)
    names = Status.names()
    for row, text in enumerate(texts):
        best = order[row] if evidence[row] else order[row, :0]
        if several:
            best = best[counts[row, best]]
        yield Answer(
            text=text.decode("utf-8", "replace"),
            status=names[found.status[row]],
            labels=tuple(
                # The fewest digits that tell a float32 from others.
                BestLabel(label=labels[one], confidence=float(str(found.probabilities[row, one])))
                for one in best
            ),
        )
