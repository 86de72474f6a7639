"""The path of `rollback`: an older version becomes the current one again."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable

from textbatch.errors import BundleError, InputNotFoundError
from textbatch.model.bundle.fetch import load_model
from textbatch.model.bundle.releases import Releases, Version
from textbatch.model.predictor import open_bundle
from textbatch.report.files import job_reported, only_warned, write_json
from textbatch.report.promotion import PromoteState, RollbackReport
from textbatch.scoring.releases.folder import check_releases, held, rolled_back
from textbatch.scoring.releases.options import RollbackConfig

_SEE = "see `textbatch inspect` for the versions"


def rollback(
    config: RollbackConfig, *, warn: Callable[[str], None] = lambda _: None
) -> RollbackReport:
    """Make an older version the current one, after it was loaded and gave its golden rows again.

    Args:
        config: The folder and the version.
        warn: Gets what is wrong with the report after the job was done.

    Returns:
        What was done.

    Raises:
        InputNotFoundError: There is no folder of releases, or no such version.
        BundleError: The version is damaged. Nothing has changed.
        TryAgainError: Another run changes the folder.
    """
    described = {"releases": os.fspath(config.releases)}
    with job_reported(config, lambda: described):
        check_releases(config.releases)
        with held(config.releases, uuid.uuid4().hex[:16], dry_run=config.dry_run) as folder:
            releases, current = folder.releases, folder.current
            assert releases, "there is a record"
            assert current, "a record names its current version"
            version = _wanted(releases, config.to)
            state: PromoteState = "unchanged"
            if version != current:
                bundle = load_model(folder.place(version))
                if bundle.fingerprint != version.fingerprint:
                    raise BundleError(f"version {version.name} is another model than it was", _SEE)
                open_bundle(bundle, **config.opening()).close()
                state = "planned" if config.dry_run else "done"
                if not config.dry_run:
                    folder.record(rolled_back(releases, version))
    done = RollbackReport(
        releases=os.fspath(config.releases),
        state=state,
        version=version.name,
        fingerprint=version.fingerprint,
        previous=current.name,
        previous_fingerprint=current.fingerprint,
    )
    if config.report:
        with only_warned(f"the report {config.report}", warn):
            write_json(config.report, done.to_dict())
    return done


def _wanted(releases: Releases, to: str | None) -> Version:
    if to is None:
        return _before(releases)
    named = [one for one in releases.versions if one.name == to]
    if not named:
        # The same model may have been promoted twice: the later one.
        named = [one for one in releases.versions if to and one.fingerprint.startswith(to)]
    if not named or len({one.fingerprint for one in named}) > 1:
        what = "several versions have" if named else "no version has"
        raise InputNotFoundError(f"{what} this name or beginning of a fingerprint", _SEE)
    current = [one for one in named if one.name == releases.current]
    return (current or named)[-1]


def _before(releases: Releases) -> Version:
    names = [one.name for one in releases.versions]
    before = releases.versions[: names.index(releases.current)]
    kept = [one for one in before if not one.withdrawn]
    if not kept:
        raise InputNotFoundError(
            "there is no version before the current one that was not withdrawn",
            "name one with --to; see `textbatch inspect` for the versions",
        )
    return kept[-1]
