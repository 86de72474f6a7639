"""What pyproject.toml promises to who installs textbatch."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support import marks

import textbatch
from textbatch.data.storage.failures import classified
from textbatch.data.storage.location import location_of
from textbatch.errors import MissingExtraError

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = SETTINGS["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
#: They have environments of their own, and constraints of their own.
APART = {"airflow", "dask", "mlflow", "ray", "spark"}


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
    assert training <= names([*EXTRAS["train"], *EXTRAS["html"]])
    assert not names(PROJECT["dependencies"]) & names([*EXTRAS["train"], *EXTRAS["html"]])


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
    lines = [*PROJECT["dependencies"], *EXTRAS["train"], *EXTRAS["html"]]
    for line in set(lines) - {"textbatch[html]"}:
        assert {one.operator for one in Requirement(line).specifier} == {">="}, line


#: A command or option, and what lacks in turn with the extra that brings it.
LACKING = [
    (("train", "tickets.csv"), "train", "train", ("keras", "scipy", "jinja2")),
    (("evaluate", "tickets.csv"), "evaluate", "train", ("sklearn", "matplotlib")),
    (("vectors", "tickets.csv", "out.vec"), "vectors", "train", ("gensim",)),
    (("tune", "tickets.csv"), "tune", "tune", ("optuna", "keras")),
    (("audit", "tickets.csv"), "audit", "audit", ("cleanlab", "sklearn")),
    (("demo",), "demo", "train", ("pandas",)),
    (("import", "--keras", "m.h5", "--tokenizer", "t"), "import", "keras", ("h5py",)),
    (("score", "tickets.csv", "out.parquet", "--html", "run.html"), "--html", "html", ("jinja2",)),
]


@pytest.mark.parametrize(("words", "what", "extra", "lacking"), LACKING, ids=lambda value: value[0])
def test_what_lacks_an_extra_says_the_one_line_to_run_and_does_nothing(
    words, what, extra, lacking, in_process, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tickets.csv").write_text("text,label\nrefund,a\n")
    for library in lacking:
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, library, None)
            run = in_process(*words)
        told = f"{what} needs {library}, which is not installed; pip install 'textbatch[{extra}]'"
        assert (run.returncode, run.stdout) == (2, "")
        assert run.stderr == f"textbatch: error[Usage]: {told}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["tickets.csv"]


#: What imports the libraries of the extra `train`.
ROOMS = ("textbatch.training", "textbatch.model")


def test_python_says_so_too(monkeypatch):
    for library in ("scipy", "scipy.sparse"):
        monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'textbatch\[train\]'"):
        textbatch.evaluate("tickets.csv")
    for room in ROOMS:  # a package knows its rooms too, not `sys.modules` alone
        if room in sys.modules:
            monkeypatch.setattr(room, sys.modules[room], raising=False)
    for name in [name for name in sys.modules if name.startswith(ROOMS)]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtraError, match=r"textbatch\.train needs scipy, .*\[train\]'"):
        textbatch.train  # noqa: B018


@pytest.mark.parametrize(
    ("scheme", "library", "extra"),
    [("s3", "boto3", "s3"), ("abfs", "adlfs", "azure"), ("hf", "huggingface-hub", "hf")],
)
def test_so_does_an_object_store(scheme, library, extra):
    place = location_of(f"{scheme}://bucket/in.parquet")
    lacking = classified(ImportError(f"no {library}"), place, "cannot read")
    told = f"{scheme}:// needs {library}, which is not installed; pip install 'textbatch[{extra}]'"
    assert isinstance(lacking, MissingExtraError)
    assert str(lacking).endswith(told)


def test_the_places_of_marks_exist():
    for place in (*marks.TRAINS, *marks.SLOW, *marks.QUICK, *marks.LONGEST):
        assert (marks.TESTS / place).exists(), place
