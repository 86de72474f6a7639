"""Models from an object store: downloaded once, into a directory named after their manifest."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from pathlib import Path

from textbatch.data.storage.atomic_file import sync_directory
from textbatch.data.storage.file_io import new_input
from textbatch.data.storage.files import read_whole
from textbatch.data.storage.location import Location
from textbatch.data.storage.passing import begin_passing, end_passing
from textbatch.data.storage.private import private_directory
from textbatch.errors import BundleError, DataError, InputNotFoundError, OutputError, storage_errors

_MANIFEST = "manifest.json"
_MANIFEST_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_BLOCK_BYTES = 8 << 20


def cache_directory() -> Path:
    """The directory of downloads and unfinished uploads, which no other user may enter.

    Raises:
        AccessError: It belongs to another user.
        OutputError: It cannot be made.
    """
    return private_directory(_cache_place())


def _cache_place() -> Path:
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
    except DataError as error:
        raise BundleError(error.what, "name another model with --model") from error
    sizes = _sizes(content, model)
    # By the whole manifest, not by the fingerprint that it claims: that may be another model's.
    models = private_directory(cache_directory() / "models")
    place = models / hashlib.sha256(content).hexdigest()
    if _is_whole(place, content):
        return place
    with storage_errors(place, "cannot write", missing=OutputError):
        # A half copy may stay after a crash, but its name is never a model's.
        temporary = Path(tempfile.mkdtemp(dir=models, prefix=".new-"))
        begin_passing(temporary)
        try:
            for name, size in sizes.items():
                _download(model / name, temporary / name, size)
            (temporary / _MANIFEST).write_bytes(content)
            if place.exists():
                shutil.rmtree(place)
            end_passing(temporary)
            temporary.replace(place)
            sync_directory(models)
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


def _sizes(content: bytes, model: Location) -> dict[str, int]:
    """Read the files' names and sizes. No name may lead out of the cache."""
    try:
        files = json.loads(content)["files"]
        sizes = {name: files[name]["size"] for name in files}
        if not all(map(_NAME.fullmatch, sizes)):
            raise ValueError
        if not all(isinstance(size, int) and size >= 0 for size in sizes.values()):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BundleError(f"{model} has a malformed manifest.json", "copy it again") from None
    return sizes


def _download(path: Location, local: Path, size: int) -> None:
    """Fetch a file, if it has the size that the manifest tells."""
    source = new_input(path)
    if source.look().size != size:
        raise BundleError(f"{path} has another size than its manifest tells", "copy it again")
    with source.open() as opened, local.open("xb") as file:
        while block := opened.read(_BLOCK_BYTES):
            file.write(block)
