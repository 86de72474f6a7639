"""What the Dockerfile says; test_scoring_image.py runs what it builds."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from support.dockerfile import ROOT, stages

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_linter_finds_nothing():
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("no hadolint for this machine")
    command = [hadolint, "--no-color", ROOT / "Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


def test_both_targets_run_without_root_as_process_1():
    base = stages()["base"].steps
    (user,) = [rest for word, rest in base if word == "USER"]
    assert all(int(number) > 0 for number in user.split(":"))
    assert ("ENTRYPOINT", '["textbatch"]') in base  # without a shell, which would keep SIGTERM
    for name in ("score", "train"):
        stage = stages()[name]
        source = f"--from=build-{name} /opt/textbatch /opt/textbatch"
        assert (stage.image, stage.steps) == ("base", [("COPY", source)])
    assert list(stages())[-1] == "score"  # what `docker build` makes where no target is named


def test_images_are_small_ones_and_all_that_is_copied_is_there():
    allowed = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for stage in stages().values():
        tag = r"python:3\.\d+\.\d+-slim-[a-z]+"  # a full version: what is tested is what is built
        assert stage.image in stages() or re.fullmatch(tag, stage.image)
        for word, rest in stage.steps:
            assert word != "ADD"
            for source in [] if word != "COPY" or "--from" in rest else rest.split()[:-1]:
                assert (ROOT / source).exists()
                assert {f"!{source}", f"!{source.split('/')[0]}"} & set(allowed)


def test_both_targets_take_the_locked_versions_and_extras_of_the_project():
    extras = PROJECT["project"]["optional-dependencies"]
    for name in ("score", "train"):
        steps = stages()[f"build-{name}"].steps
        (default,) = [rest.removeprefix("EXTRAS=") for word, rest in steps if word == "ARG"]
        assert set(filter(None, default.split(","))) <= set(extras)
        installs = [rest for word, rest in steps if word == "RUN" and " install " in rest]
        assert "-c constraints.txt" in installs[0]
        assert "--no-deps" in installs[1]
        for given in ("", "s3,html"):
            # pip takes no empty pair of brackets.
            words = ["sh", "-c", f"printf %s {installs[0].split()[-1]}"]
            said = subprocess.run(words, env={"EXTRAS": given}, capture_output=True, check=True)
            assert said.stdout.decode() == (f".[{given}]" if given else ".")
