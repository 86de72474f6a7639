"""The surest mistakes of a model, with the tokens that carried them."""

from __future__ import annotations

import pyarrow as pa

from textbatch.data.output.explanations import explanations
from textbatch.data.readers.labelled_rows import LabelledRows
from textbatch.model.beside import Beside
from textbatch.model.predictor import Predictor
from textbatch.model.predictors import Predictors
from textbatch.model.quality.reliability import Answers, confident_errors
from textbatch.report.evaluation import SurestError, TokenWeight
from textbatch.types import has_evidence

#: As many as the page lists.
_MOST_ERRORS = 50


def surest_errors(
    predictor: Predictor, answers: Answers, rows: LabelledRows, most: int
) -> tuple[SurestError, ...]:
    """Explain the wrong answers with the highest confidence.

    Args:
        predictor: What answered.
        answers: Its answers.
        rows: The rows that were read.
        most: How many tokens to name of each; 0 for no errors at all.
    """
    wrong = confident_errors(answers, most=_MOST_ERRORS) if most else []
    if not wrong:
        return ()
    texts = rows.texts.take(pa.array([position for position, *_ in wrong]))
    found = Predictors([predictor], Beside(explain=most)).start(texts).result()
    assert found.extras is not None
    told = explanations(predictor.tokenizer, texts, has_evidence(found.status), found.extras)
    labels, numbers = predictor.classifier.labels, rows.row_numbers
    return tuple(
        SurestError(
            row=position + 1 if numbers is None else int(numbers[position]),
            true=labels[true],
            predicted=labels[predicted],
            confidence=confidence,
            tokens=tuple(TokenWeight(**one) for one in tokens or ()),
        )
        for (position, true, predicted, confidence), tokens in zip(
            wrong, told.to_pylist(), strict=True
        )
    )
