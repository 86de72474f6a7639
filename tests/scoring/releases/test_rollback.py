from __future__ import annotations

import json

import pytest

from textbatch.errors import BundleError, InputNotFoundError
from textbatch.model.bundle.fetch import load_model
from textbatch.scoring.inspect import inspect_path
from textbatch.scoring.releases.options import RollbackConfig
from textbatch.scoring.releases.rollback import rollback


@pytest.fixture
def back(releases):
    """Rolls that folder back."""

    def run(to=None, **options):
        return rollback(RollbackConfig(releases=releases, to=to, threads=1, **options))

    return run


def current(releases) -> str:
    return inspect_path(releases).current


def test_a_rollback_goes_to_the_version_before(models, put, back, releases):
    first, second, third = (put(model) for model in models[:3])
    done = back()
    assert (done.state, done.version, done.previous) == ("done", second.version, third.version)
    assert load_model(releases).fingerprint == second.fingerprint
    assert back().version == first.version
    with pytest.raises(InputNotFoundError, match="no version before"):
        back()
    assert current(releases) == first.version


def test_after_a_rollback_the_next_promotion_goes_back_to_what_was_current(models, put, back):
    first, second = put(models[0]), put(models[1])
    back()
    third = put(models[2])
    assert third.previous == first.version
    assert back().version == first.version
    # Not to the second one, which was withdrawn.
    with pytest.raises(InputNotFoundError):
        back()
    assert back(to=second.version).version == second.version


def test_a_version_is_named_by_its_name_or_the_beginning_of_its_fingerprint(models, put, back):
    first, second, third = (put(model) for model in models[:3])
    assert back(to=first.fingerprint[:8]).version == first.version
    assert back(to=third.version).version == third.version
    assert back(to=third.version).state == "unchanged"
    assert back(to=second.version, dry_run=True).state == "planned"
    for unknown in ("", "zzz", "20000101T000000Z-00000000"):
        with pytest.raises(InputNotFoundError, match="no version has"):
            back(to=unknown)


def test_going_forward_again_withdraws_nothing(models, put, back, releases):
    first, second = put(models[0]), put(models[1])
    back()
    back(to=second.version)
    versions = inspect_path(releases).versions
    assert [(one.name, one.withdrawn) for one in versions] == [
        (first.version, None),
        (second.version, None),
    ]
    assert back().version == first.version


def test_a_withdrawn_model_can_be_promoted_again(models, put, back, releases):
    put(models[0])
    put(models[1])
    back()
    again = put(models[1])
    assert again.state == "done"
    assert current(releases) == again.version
    assert load_model(releases).fingerprint == again.fingerprint


def test_a_damaged_version_does_not_become_the_current_one(models, put, back, releases):
    first, second = put(models[0]), put(models[1])
    (releases / "versions" / first.version / "golden.json").write_text("{}")
    with pytest.raises(BundleError):
        back()
    assert current(releases) == second.version


def test_another_place_is_no_folder_of_releases(models, back, releases, tmp_path):
    report = tmp_path / "report.json"
    with pytest.raises(InputNotFoundError, match="no folder of releases"):
        back(report=report)
    assert json.loads(report.read_text())["exit_code"] == 68
    releases.mkdir()
    with pytest.raises(InputNotFoundError):
        back()
    assert not list(releases.iterdir())


def test_commands_tell_what_they_did(models, releases, in_process):
    for model in models[:2]:
        done = in_process("promote", model, "--to", releases)
        assert (done.returncode, "is the current version now" in done.stdout) == (0, True)
        # The first has none before it.
        assert ("textbatch rollback" in done.stdout) == (model != models[0])
    assert f"textbatch rollback {releases}" in done.stdout
    done = in_process("rollback", releases)
    assert "is the current version again" in done.stdout
    done = in_process("rollback", releases)
    assert (done.returncode, "was not withdrawn" in done.stderr) == (68, True)
    shown = in_process("inspect", releases)
    assert "current" in shown.stdout
    assert "withdrawn 20" in shown.stdout
    told = json.loads(in_process("inspect", releases, "--json").stdout)
    assert told["kind"] == "releases"
    assert [one["current"] for one in told["versions"]] == [True, False]
    assert told["model"]["fingerprint"] == told["versions"][0]["fingerprint"]
