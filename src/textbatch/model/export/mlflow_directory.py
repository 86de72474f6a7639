"""A directory that MLflow loads as a pyfunc: the bundle, and what MLflow must know of it.

Its form is that of `mlflow.pyfunc.save_model` with a loader module, without anything pickled. It is
written here, so that nobody needs MLflow to export, and nothing is sent to a tracking server.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pyarrow as pa

from textbatch import __version__
from textbatch.data.json_text import json_text
from textbatch.model.bundle.bundle import Bundle
from textbatch.model.export.described import Difference, golden_batch
from textbatch.model.predictor import open_bundle

_LOADER, _DATA = "textbatch.integrations.mlflow", "model"
#: Oldest releases that are known to load it.
_REQUIREMENTS = ("mlflow-skinny>=2.20", "pandas>=2.2.2")
_EXAMPLE = ("where is my refund", "I cannot log in")


def mlflow_files(bundle: Bundle, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Make the files of the directory.

    Args:
        bundle: The model.
        files: Content of the files of its bundle, by name.

    Returns:
        Content by path.
    """
    text_column = bundle.settings.text_column
    example = {"columns": [text_column], "data": [[text] for text in _EXAMPLE]}
    requirements = [f"textbatch=={__version__}", *_REQUIREMENTS]
    environment = {
        "python": platform.python_version(),
        "build_dependencies": ["pip"],
        "dependencies": ["-r requirements.txt"],
    }
    made = {
        "MLmodel": _json(_description(bundle, text_column)),
        "requirements.txt": "\n".join(requirements) + "\n",
        "python_env.yaml": _json(environment),
        "input_example.json": _json(example),
        "serving_input_example.json": _json({"dataframe_split": example}),
    }
    return {
        **{name: text.encode() for name, text in made.items()},
        **{f"{_DATA}/{name}": data for name, data in files.items()},
    }


def golden_difference(bundle: Bundle) -> Difference:
    """How far the answers are from the model's: those of the bundle itself, computed anew.

    Args:
        bundle: The model.
    """
    texts, expected = golden_batch(bundle)
    with open_bundle(bundle) as predictor:
        answers = predictor.predict(texts.cast(pa.large_string())).probabilities
    return Difference.between(expected, answers)


def _description(bundle: Bundle, text_column: str) -> dict[str, Any]:
    def column(name: str, kind: str, *, required: bool) -> dict[str, Any]:
        return {"type": kind, "name": name, "required": required}

    answers = [
        column("predicted_label", "string", required=False),
        column("confidence", "float", required=False),
        column("status", "string", required=True),
        {
            **column("probabilities", "array", required=False),
            "items": {"type": "float"},
        },
    ]
    created = bundle.manifest.created if bundle.manifest else datetime.now(UTC).isoformat()
    return {
        "flavors": {
            "python_function": {
                "data": _DATA,
                "env": {"virtualenv": "python_env.yaml"},
                "loader_module": _LOADER,
                "python_version": platform.python_version(),
            }
        },
        "metadata": {"textbatch": __version__, "fingerprint": bundle.fingerprint},
        "model_uuid": uuid5(NAMESPACE_URL, bundle.fingerprint).hex,
        "saved_input_example_info": {
            "artifact_path": "input_example.json",
            "pandas_orient": "split",
            "serving_input_path": "serving_input_example.json",
            "type": "dataframe",
        },
        "signature": {
            "inputs": json_text([column(text_column, "string", required=False)]),
            "outputs": json_text(answers),
            "params": None,
        },
        "utc_time_created": created.replace("T", " ").removesuffix("+00:00"),
    }


def _json(value: object) -> str:
    # MLflow reads some of these files as YAML, and JSON is YAML.
    return json_text(value, indent=1) + "\n"
