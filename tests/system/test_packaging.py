"""What pyproject.toml promises to who installs textbatch."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = SETTINGS["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
#: Has an environment of its own, and constraints of its own.
APART = {"airflow"}


def names(lines: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in lines}


def locked() -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def test_scoring_comes_without_the_libraries_of_training():
    training = {"tensorflow", "keras", "gensim", "scikit-learn", "scipy", "pandas", "matplotlib"}
    assert training <= names(EXTRAS["train"])
    assert not names(PROJECT["dependencies"]) & names(EXTRAS["train"])


def test_the_extra_all_names_each_extra_that_fits_into_one_environment():
    (all_,) = map(Requirement, EXTRAS["all"])
    assert all_.extras == set(EXTRAS) - APART - {"all", "gpu"}


@pytest.mark.parametrize("python", ["3.11.0", "3.11.9", "3.12.1", "3.13.0"])
def test_each_dependency_is_locked_to_a_version_that_its_bounds_allow(python):
    lock = locked()
    here = {"python_version": python[:4], "python_full_version": python}
    groups = SETTINGS["dependency-groups"].values()
    extras = [lines for name, lines in EXTRAS.items() if name not in APART]
    for line in [
        *PROJECT["dependencies"],
        *(line for lines in [*extras, *groups] for line in lines),
    ]:
        asked = Requirement(line)
        name = canonicalize_name(asked.name)
        if name == "textbatch":
            continue
        fitting = [one for one in lock[name] if not one.marker or one.marker.evaluate(here)]
        (pin,) = fitting
        (version,) = pin.specifier
        assert version.operator == "=="
        assert asked.specifier.contains(version.version), line


def test_the_lock_names_packages_alone():
    text = (ROOT / "constraints.txt").read_text("utf-8")
    assert not re.search(r"://|^-|@", text, re.MULTILINE)


def test_lower_bounds_are_no_upper_ones():
    """A library must not decide how new the others of an environment may be."""
    for line in [*PROJECT["dependencies"], *EXTRAS["train"]]:
        assert {one.operator for one in Requirement(line).specifier} == {">="}, line
