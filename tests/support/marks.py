"""Which tests train and which are slow, by place; `make test-quick` leaves both out.

The files that take longest come first: a worker that begins one at the end lets the others wait.
"""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

#: They import TensorFlow and fit networks.
TRAINS = (
    "cli/demo",
    "cli/commands/test_vectors.py",
    "model/engines",
    "model/export/test_keras_file.py",
    "model/export/test_saved_model.py",
    "model/fitting",
    "model/network",
    "model/vectors",
    "training/fit",
    "training/imported",
    "training/package",
    "training/cross_fit/test_cross_fit.py",
    "training/cross_fit/test_killed.py",
    "training/test_audit.py",
    "training/test_cross_validation.py",
    "training/test_import_keras.py",
    "training/test_self_training.py",
    "training/test_train.py",
    "training/test_tune.py",
)
#: They start many processes, servers or browsers, or go through much data.
SLOW = (
    "cli/test_bad_input.py",
    "cli/test_completion.py",
    "cli/test_score_watched.py",
    "cli/test_score_watched_folders.py",
    "cli/test_streams.py",
    "cli/test_terminal.py",
    "data/storage",
    "integrations",
    "model/keras_files/test_hostile_files.py",
    "report/html",
    "scoring/backends",
    "scoring/folder",
    "system",
)
#: These are quick all the same.
QUICK = (
    "system/container/test_dockerfile.py",
    "system/test_architecture.py",
    "system/test_docs.py",
    "system/test_docstrings.py",
    "system/test_packaging.py",
    "system/test_reference.py",
    "system/test_scoring_alone.py",
)
#: The longest first.
LONGEST = (
    "system/jobs/test_airflow.py",
    "system/engines/test_backends.py",
    "system/engines/test_kills_on_engines.py",
    "system/engines/test_engines.py",
    "system/test_any_place.py",
    "model/fitting/test_fit.py",
    "system/faults/test_kills.py",
    "system/test_docs_run.py",
    "system/test_real_data.py",
    "training/test_train.py",
    "training/test_tune.py",
    "system/storage/test_storage_faults.py",
    "cli/test_terminal.py",
    "training/fit/test_resume.py",
    "system/test_long_steps.py",
    "system/roundtrip/test_roundtrip.py",
)


def urgency(item: pytest.Item) -> int:
    """What tests are sorted by; less comes first, and equal ones stay in their order."""
    place = str(item.path.relative_to(TESTS))
    if place in LONGEST:
        return LONGEST.index(place)
    marks = {marker.name for marker in item.iter_markers()}
    return len(LONGEST) + (0 if marks & {"trains", "slow"} else 1)


def mark(item: pytest.Item) -> None:
    """Give a test the marks of its place."""
    place = item.path.relative_to(TESTS)
    if _within(place, TRAINS) or "quick_recipe" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.trains)
    if _within(place, SLOW) and not _within(place, QUICK):
        item.add_marker(pytest.mark.slow)


def _within(place: Path, places: tuple[str, ...]) -> bool:
    return any(place.is_relative_to(one) for one in places)
