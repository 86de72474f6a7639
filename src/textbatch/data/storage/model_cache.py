"""Models from an object store: downloaded once, into a directory with their fingerprint as name."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

from textbatch.data.storage.atomic_file import sync_directory
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.location import Location
from textbatch.data.storage.remote import read_whole
from textbatch.errors import BundleError, InputNotFoundError, OutputError, storage_errors

_MANIFEST = "manifest.json"
_MANIFEST_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_BLOCK_BYTES = 8 << 20


def cache_directory() -> Path:
    """The directory of downloads and unfinished uploads."""
    if found := os.environ.get("XDG_CACHE_HOME"):
        return Path(found) / "textbatch"
    if found := os.environ.get("HOME"):
        return Path(found) / ".cache" / "textbatch"
    return Path(tempfile.gettempdir()) / f"textbatch-{os.getuid()}"


def fetch_model(model: Location) -> Path:
    """Make a local copy of a model. Loading verifies it, like any other model.

    Args:
        model: The directory of the bundle, in the store.

    Returns:
        The directory of the copy.

    Raises:
        BundleError: There is no model, or its manifest is malformed.
        AccessError: Reading is not allowed.
        TryAgainError: The store does not answer.
        StorageError: The copy cannot be written.
    """
    try:
        content = read_whole(new_input(model / _MANIFEST), limit=_MANIFEST_BYTES)
    except InputNotFoundError as error:
        raise BundleError(f"there is no model at {model}", "name one with --model") from error
    names, fingerprint = _parsed(content, model)
    place = cache_directory() / "models" / fingerprint
    if _is_whole(place, content):
        return place
    with storage_errors(place, "cannot write", missing=OutputError):
        place.parent.mkdir(parents=True, exist_ok=True)
        # A half copy may stay after a crash, but its name is never a fingerprint.
        temporary = Path(tempfile.mkdtemp(dir=place.parent, prefix=".new-"))
        try:
            for name in names:
                _download(model / name, temporary / name)
            (temporary / _MANIFEST).write_bytes(content)
            if place.exists():
                shutil.rmtree(place)
            temporary.replace(place)
            sync_directory(place.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return place


def forget_model(place: Path) -> None:
    """Delete a damaged copy, so that the next run fetches it again."""
    shutil.rmtree(place, ignore_errors=True)


def _is_whole(place: Path, manifest: bytes) -> bool:
    try:
        return (place / _MANIFEST).read_bytes() == manifest
    except OSError:
        return False


def _parsed(content: bytes, model: Location) -> tuple[list[str], str]:
    """Read the names of the files and the fingerprint. None of them may lead out of the cache."""
    try:
        manifest = json.loads(content)
        names, fingerprint = list(manifest["files"]), manifest["fingerprint"]
        if not _FINGERPRINT.fullmatch(fingerprint) or not all(map(_NAME.fullmatch, names)):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BundleError(f"{model} has a malformed manifest.json", "copy it again") from None
    return names, fingerprint


def _download(path: Location, local: Path) -> None:
    with new_input(path).open() as source, local.open("xb") as file:
        while block := source.read(_BLOCK_BYTES):
            file.write(block)
