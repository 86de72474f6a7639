"""Bundles as an attacker makes them: the manifest agrees with the files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from textbatch.model.bundle.directory import fingerprint_of
from textbatch.model.bundle.verified_file import ListedFile


def reseal(bundle: Path) -> None:
    """List all files of the directory in its manifest, with their sizes and hashes."""
    manifest = json.loads((bundle / "manifest.json").read_text())
    data = {
        path.name: path.read_bytes() for path in bundle.iterdir() if path.name != "manifest.json"
    }
    files = {
        name: ListedFile(size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in data.items()
    }
    manifest["files"] = {
        name: {"size": listed.size, "sha256": listed.sha256} for name, listed in files.items()
    }
    manifest["fingerprint"] = fingerprint_of(files)
    (bundle / "manifest.json").write_text(json.dumps(manifest))
