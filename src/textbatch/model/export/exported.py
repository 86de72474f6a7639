"""A bundle in another form: its files, and how far its answers are from the bundle's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import pyarrow as pa

from textbatch.data.storage.location import Location
from textbatch.errors import ConflictError, MissingExtraError
from textbatch.model.bundle.blend import Blend
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.bundle.fetch import model_files
from textbatch.model.choices import ExportFormat
from textbatch.model.export.described import Difference, golden_batch, has_unknown_parts
from textbatch.model.network.keras_backend import import_keras
from textbatch.model.predictor import open_predictor
from textbatch.types import Float32Array, has_evidence

#: Answers texts with an exported model. Shapes `(rows,)` and `(rows, labels)`.
Answers = Callable[[pa.Array], Float32Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """An exported model.

    Attributes:
        files: Content of its files by their paths in its directory. One file has no directory.
        golden_rows: The comparison on the golden rows.
        unknown_words: The comparison on golden rows with misspelt words; None if nothing is left
            out of the exported model.
    """

    files: Mapping[str, bytes]
    golden_rows: Difference
    unknown_words: Difference | None = None


def export_bundle(bundle: Bundle, form: ExportFormat, model: Location | None = None) -> Exported:
    """Make the exported model, and compare it with the bundle.

    Args:
        bundle: The model.
        form: The form.
        model: Where the bundle is; `mlflow` needs it.

    Raises:
        BundleError: It is too large for the form.
        ConflictError: It cannot have the form.
        MissingExtraError: The form needs a library that is not installed.
    """
    if form in ("onnx", "keras") and bundle.classifier.blend:
        _check_ids_suffice(bundle.classifier.blend, form)
    # Each form is imported only when chosen: TensorFlow alone takes seconds.
    if form == "keras":
        return _keras(bundle)
    if form == "saved-model":
        return _saved_model(bundle)
    if form == "mlflow":
        from textbatch.model.export.mlflow_directory import golden_difference, mlflow_files

        assert model is not None, "a bundle that was loaded from there"
        files = mlflow_files(bundle, model_files(model, bundle.fingerprint))
        return Exported(files=files, golden_rows=golden_difference(bundle))
    from textbatch.model.export.onnx_file import answers_to, onnx_file, onnx_graph

    assert form == "onnx"
    graph = onnx_graph(bundle.classifier)
    golden, unknown = compared(bundle, answers_to(bundle, graph))
    return Exported(
        files={"model.onnx": onnx_file(bundle, graph, golden, unknown)},
        golden_rows=golden,
        unknown_words=unknown,
    )


def _check_ids_suffice(blend: Blend, form: str) -> None:
    if blend.model.characters:
        raise ConflictError(
            f"--format {form} takes token ids, and the model's linear part reads the characters "
            "of whole texts",
            "give --format saved-model or mlflow",
        )


def _keras(bundle: Bundle) -> Exported:
    _require("keras", "keras", "tensorflow")
    import_keras()
    from textbatch.model.export import keras_file as form

    model = form.keras_model(bundle.classifier)
    golden, unknown = compared(bundle, form.answers_to(bundle, model))
    data = form.keras_file(bundle, model, golden, unknown)
    return Exported(files={"model.keras": data}, golden_rows=golden, unknown_words=unknown)


def _saved_model(bundle: Bundle) -> Exported:
    _require("saved-model", "keras", "tensorflow")
    import_keras()
    from textbatch.model.export import saved_model as form

    model = form.TextModel(bundle.classifier)
    golden = form.difference_of(model, *golden_batch(bundle))
    return Exported(files=form.saved_model_files(bundle, model), golden_rows=golden)


def _require(form: str, *libraries: str) -> None:
    for library in libraries:
        if find_spec(library) is None:
            raise MissingExtraError(f"--format {form}", library, "train")


def compared(bundle: Bundle, answers: Answers) -> tuple[Difference, Difference | None]:
    """Compare answers that come from token ids with the bundle's.

    Args:
        bundle: The model.
        answers: Answers texts with the exported model.

    Returns:
        The comparison on the golden rows; and where parts of unknown words count in the bundle, on
        these rows with misspelt words too.
    """
    texts, expected = golden_batch(bundle)
    if not has_unknown_parts(bundle.classifier):
        return Difference.between(expected, answers(texts)), None
    known = np.array([_is_known(bundle, text) for text in texts.to_pylist()], bool)
    texts, rows = texts.filter(pa.array(known)), expected[known]
    golden = Difference.between(rows, answers(texts))
    misspelt = pa.array([_misspelt(text) for text in golden_batch(bundle)[0].to_pylist()])
    with open_predictor(bundle.classifier) as predictor:
        found = predictor.predict(misspelt.cast(pa.large_string()))
    answered = has_evidence(found.status)
    misspelt = misspelt.filter(pa.array(answered)).cast(pa.large_string())
    return golden, Difference.between(found.probabilities[answered], answers(misspelt))


def _is_known(bundle: Bundle, text: str) -> bool:
    tokens = bundle.classifier.tokenizer.encode(pa.array([text], pa.large_string()))
    return tokens.unknown is None or not len(tokens.unknown)


def _misspelt(text: str) -> str:
    """The text with every second word without its second letter, as a hasty writer leaves it."""
    words = text.split(" ")
    return " ".join(
        word[:1] + word[2:] if number % 2 else word for number, word in enumerate(words)
    )
