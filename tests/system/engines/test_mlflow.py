"""An exported directory, loaded by MLflow itself, in the environment of the engines."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from support.bundles import blended_bundle, random_texts, run_cli, write_bundle

import textbatch

ROOT = Path(__file__).parents[3]
PYTHON = Path(os.environ.get("ENGINES_VENV", ROOT / ".venv-engines")) / "bin" / "python"

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="no MLflow (make test-engines installs .venv-engines)"
)

CHECK = """
import json, sys
import mlflow, pandas as pd
from mlflow.models import Model
loaded = mlflow.pyfunc.load_model("exported")
described = Model.load("exported")
example = described.load_input_example("exported")
texts = pd.read_json("texts.json", dtype=False)
answers = loaded.predict(texts)
print(json.dumps({
    "inputs": described.get_input_schema().input_names(),
    "outputs": described.get_output_schema().input_names(),
    "example": len(loaded.predict(example)),
    "requirements": mlflow.pyfunc.get_model_dependencies("exported"),
    "labels": answers["predicted_label"].tolist(),
    "probabilities": answers["probabilities"].tolist(),
}))
"""


def test_mlflow_loads_it_and_gets_the_answers_of_score(tmp_path):
    model = write_bundle(tmp_path / "model", blended_bundle())
    run = run_cli("export", model, tmp_path / "exported", "--format", "mlflow")
    assert run.returncode == 0, run.stderr
    texts = pd.DataFrame({"text": [text or "" for text in random_texts(1000)]})
    texts.to_json(tmp_path / "texts.json")
    done = subprocess.run(
        [PYTHON, "-c", CHECK], cwd=tmp_path, capture_output=True, text=True, timeout=300,
        check=False,
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    scored = textbatch.score(texts, model=model, probabilities=True)
    labels = [None if pd.isna(one) else one for one in scored["predicted_label"]]
    assert found["labels"] == labels
    for ours, theirs in zip(found["probabilities"], scored["probabilities"], strict=True):
        assert ours == (None if theirs is None else pytest.approx(list(theirs), abs=1e-5))
    assert (found["inputs"], found["example"]) == (["text"], 2)
    assert found["outputs"] == ["predicted_label", "confidence", "status", "probabilities"]
