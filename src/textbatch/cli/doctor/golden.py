"""The golden rows of a model, answered in another process: a library may end it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict

from textbatch.cli.doctor.libraries import ended_by
from textbatch.cli.doctor.record import GoldenRows, Problem
from textbatch.data.json_text import json_text
from textbatch.errors import BundleError, OutOfMemoryError, TextbatchError, TryAgainError

_CHILD = "from textbatch.cli.doctor.golden import answer; answer()"
#: How long that may take, in seconds: the model may be in a store.
_LONGEST = 300.0
_CHECK = "model"


def golden_rows(model: str) -> tuple[GoldenRows | Problem, str]:
    """Answer the golden rows of a model.

    Args:
        model: Its place.

    Returns:
        What came of it, or what is wrong; and what only this user is told, because it may name
        places: nothing if all is well.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _CHILD, model],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        told = f"the model did not answer in {_LONGEST:.0f} s"
        return _problem(told, "run again", TryAgainError.exit_code)
    except OSError:
        told = "no process could be started to load the model"
        return _problem(told, "raise `ulimit -u`", OutOfMemoryError.exit_code)
    try:
        found = json.loads(done.stdout.decode("utf-8", "replace").rpartition("\n")[2])
    except ValueError:
        told = f"the process that loads the model has died: {ended_by(done.returncode)}"
        remedy = "see the libraries; an old processor may need older ones"
        return _problem(told, remedy, BundleError.exit_code)
    if "exit_code" not in found:
        return GoldenRows(**found), ""
    told = f"the model cannot be used ({found['kind']})"
    problem, _ = _problem(told, "see what doctor tells on stderr", found["exit_code"])
    return problem, str(found["told"])


def _problem(told: str, remedy: str, exit_code: int) -> tuple[Problem, str]:
    problem = Problem(check=_CHECK, told=told, remedy=remedy, exit_code=exit_code)
    return problem, f"{told}; {remedy}"


def answer() -> None:
    """Print the answers as JSON. It is run in the other process."""
    told = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        found = asdict(_answered(sys.argv[1]))
    except TextbatchError as error:
        found = {"kind": error.title, "told": str(error), "exit_code": error.exit_code}
    told.write("\n" + json_text(found))
    told.flush()


def _answered(model: str) -> GoldenRows:
    import numpy as np
    import pyarrow as pa

    from textbatch.data.storage.location import location_of
    from textbatch.data.storage.places import check_usable
    from textbatch.model.bundle.fetch import load_model
    from textbatch.model.options import NamedModel
    from textbatch.model.predictor import open_predictor
    from textbatch.model.replay import GOLDEN_TOLERANCE

    began = time.perf_counter()
    place = location_of(model)
    check_usable(NamedModel(model=place))
    bundle = load_model(place, several=True)
    with open_predictor(bundle.classifier) as predictor:
        texts = pa.array(bundle.golden.texts, pa.large_string())
        answers = predictor.predict(texts).probabilities
    expected = np.array(bundle.golden.probabilities, np.float32).reshape(answers.shape)
    difference = float(np.abs(answers - expected).max(initial=0.0))
    assert bundle.manifest, "a loaded bundle has one"
    return GoldenRows(
        fingerprint=bundle.fingerprint,
        textbatch=bundle.manifest.textbatch,
        made_with=bundle.manifest.versions,
        rows=len(bundle.golden.texts),
        # NaN is no number in JSON, and no answer either.
        difference=difference if np.isfinite(difference) else 1.0,
        tolerance=GOLDEN_TOLERANCE["f32"],
        seconds=round(time.perf_counter() - began, 3),
    )
