"""A model as a pyfunc of MLflow: what loads the directories of `textbatch export --format mlflow`.

MLflow finds this module by its name in `MLmodel`. Nothing is unpickled.
"""

from __future__ import annotations

from typing import Any

from textbatch.data.storage.location import location_of
from textbatch.model.options import EngineOptions
from textbatch.scoring.in_memory import Model, open_model


class TextbatchPyfunc:
    """What `mlflow.pyfunc.load_model` gives back, inside.

    Args:
        model: The loaded model.
    """

    def __init__(self, model: Model) -> None:
        self._model = model

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:  # noqa: ANN401
        """Answer texts.

        Args:
            model_input: A DataFrame of pandas with the column that the signature names. Other
                columns are ignored.
            params: Not used.

        Returns:
            A DataFrame with `predicted_label`, `confidence`, `status` and `probabilities`, these in
            the order of the labels. Without evidence a row has no label, as in `score`.

        Raises:
            DataError: The column is missing or holds no texts.
        """
        column = self._model.bundle.settings.text_column
        texts = model_input[[column]] if column in model_input.columns else model_input
        scored = self._model.score_table(texts, text_column=column, probabilities=True)
        answers = scored.drop(columns=[column])
        for name in ("predicted_label", "status"):
            plain = answers[name].astype(object)
            answers[name] = plain.where(plain.notna(), None)
        # Lists, which JSON can hold.
        answers["probabilities"] = [
            None if row is None else [float(share) for share in row]
            for row in answers["probabilities"]
        ]
        return answers


def _load_pyfunc(path: str) -> TextbatchPyfunc:
    """Load the model. MLflow calls it.

    Raises:
        BundleError: The model is damaged, or answers otherwise here.
    """
    return TextbatchPyfunc(open_model(location_of(path), EngineOptions()))
