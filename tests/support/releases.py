"""What a folder of releases must do in every store whose uploads take conditions."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.bundles import random_bundle, write_bundle

from textbatch.data.storage.location import location_of
from textbatch.errors import TryAgainError
from textbatch.model.bundle.fetch import load_model
from textbatch.scoring.releases.folder import ReleaseFolder, promoted
from textbatch.scoring.releases.options import PromoteConfig, RollbackConfig
from textbatch.scoring.releases.promote import promote
from textbatch.scoring.releases.rollback import rollback


def check_releases(address: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Promote and roll back; then let another run come between a look and an upload.

    Args:
        address: A folder in the store, where nothing is yet.
        folder: For models on this machine.
        patch: Takes away the look before the upload, so that only the store's condition is left.
    """
    to = location_of(address)
    models = [write_bundle(folder / f"m{seed}", random_bundle(seed=seed)) for seed in range(3)]

    def put(model: Path) -> str:
        return promote(PromoteConfig(model=model, to=to, threads=1)).fingerprint

    first, second = put(models[0]), put(models[1])
    assert load_model(to).fingerprint == second
    assert rollback(RollbackConfig(releases=to, threads=1)).state == "done"
    assert load_model(to).fingerprint == first
    patch.setattr("textbatch.data.storage.remote.check_unreplaced", lambda *_: None)
    for place in (to, location_of(f"{address}-new")):
        late = ReleaseFolder(place)
        version = late.add(models[2])
        meant = promote(PromoteConfig(model=models[1], to=place, threads=1)).fingerprint
        with pytest.raises(TryAgainError, match="another run has written"):
            late.record(promoted(late.releases, version, keep=5))
        assert load_model(place).fingerprint == meant
