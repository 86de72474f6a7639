"""The bundle's directory: its files, their hashes, its fingerprint."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from textbatch import __version__
from textbatch.data.storage.atomic_directory import atomic_directory
from textbatch.errors import BundleError, OutputError, TextbatchError, storage_errors
from textbatch.model.bundle.strict_json import dump_json, parse_json

MANIFEST = "manifest.json"
FORMAT_VERSION = 1

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MAX_JSON_BYTES, _MAX_FILE_BYTES = 64 << 20, 4 << 30
_MAX_FILES = 100
_RESTORE = "restore the bundle from its source or train it again"


def fingerprint_of(hashes: Mapping[str, str], names: Sequence[str]) -> str:
    """Sha256 over the names and hashes of the files that decide the answers."""
    lines = "".join(f"{hashes[name]}  {name}\n" for name in sorted(names))
    return hashlib.sha256(lines.encode()).hexdigest()


def write_directory(
    path: Path, files: Mapping[str, bytes], *, fingerprinted: Sequence[str], overwrite: bool
) -> str:
    """Write files and their manifest to a new directory that appears whole.

    Args:
        path: The directory.
        files: Contents by name.
        fingerprinted: Names that make up the fingerprint.
        overwrite: Whether an older bundle at `path` may be replaced.

    Returns:
        The fingerprint.

    Raises:
        OutputError: `path` exists and may not be replaced.
        StorageError: Writing failed.
    """
    check_replaceable(path, overwrite=overwrite)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    fingerprint = fingerprint_of(hashes, fingerprinted)
    manifest = {
        "format": FORMAT_VERSION,
        "textbatch": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            name: version(name)
            for name in ("tensorflow", "keras", "gensim", "onnxruntime", "numpy", "pyarrow")
        },
        "fingerprint": fingerprint,
        "files": {
            name: {"size": len(data), "sha256": hashes[name]} for name, data in files.items()
        },
    }
    with atomic_directory(path) as new:
        for name, data in {**files, MANIFEST: dump_json(manifest)}.items():
            new.write(name, data)
    return fingerprint


def check_replaceable(path: Path, *, overwrite: bool) -> None:
    """Check that a bundle may be written at a place.

    Raises:
        OutputError: There is one that must stay, or something that is no bundle.
    """
    if not path.parent.is_dir():
        raise OutputError(f"there is no directory {path.parent}", "create it first")
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise OutputError(f"{path} exists", "add --overwrite to replace it")
    if not _is_bundle(path):
        raise OutputError(
            f"{path} exists and is not a bundle, or holds other files too", "name another directory"
        )


def _is_bundle(path: Path) -> bool:
    # Other programs have a manifest.json too, and all that lies beside it would be deleted.
    try:
        manifest = parse_json(_read(path / MANIFEST, _MAX_JSON_BYTES), MANIFEST)
        listed = _listed_files(path, manifest)
    except TextbatchError:
        return False
    return {entry.name for entry in path.iterdir()} <= {*listed, MANIFEST}


def read_verified(
    path: Path, *, fingerprinted: Sequence[str], optional: Sequence[str] = ()
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read a bundle's files and check them against its manifest.

    Args:
        path: The directory.
        fingerprinted: Names that must be there and make up the fingerprint.
        optional: Names that make it up where they are there.

    Returns:
        The manifest, and every other file's bytes by name.

    Raises:
        BundleError: A file is missing, extra, not a regular file, too large or changed.
    """
    if not path.exists():
        raise BundleError(f"there is no model at {path}", "train one, or give --model")
    if not path.is_dir():
        raise BundleError(
            f"{path} is not a bundle directory; pickles, .h5, .keras and archives are never loaded",
            "give the directory that `textbatch train` wrote",
        )
    with storage_errors(path, "cannot read"):
        names = sorted(entry.name for entry in path.iterdir())
    if MANIFEST not in names:
        raise BundleError(f"{path} has no {MANIFEST}, so it is not a bundle", "check --model")
    if len(names) > _MAX_FILES:
        raise BundleError(f"{path} holds {len(names)} files", _RESTORE)
    manifest = parse_json(_read(path / MANIFEST, _MAX_JSON_BYTES), MANIFEST)
    listed = _listed_files(path, manifest)
    odd = sorted({*listed, MANIFEST} ^ set(names))
    missing = sorted(set(fingerprinted) - listed.keys())
    if odd or missing:
        raise BundleError(f"{path}: file '{(odd or missing)[0]}' is missing or extra", _RESTORE)
    fingerprinted = [*fingerprinted, *(name for name in optional if name in listed)]
    files: dict[str, bytes] = {}
    for name, (size, sha256) in listed.items():
        cap = _MAX_FILE_BYTES if name.endswith(".safetensors") else _MAX_JSON_BYTES
        data = _read(path / name, min(cap, size))
        if len(data) != size or hashlib.sha256(data).hexdigest() != sha256:
            raise BundleError(f"{path}: file '{name}' is damaged (its sha256 differs)", _RESTORE)
        files[name] = data
    hashes = {name: sha256 for name, (_, sha256) in listed.items()}
    if manifest["fingerprint"] != fingerprint_of(hashes, fingerprinted):
        raise BundleError(f"{path}: {MANIFEST} has a wrong fingerprint", _RESTORE)
    return manifest, files


def _listed_files(path: Path, manifest: object) -> dict[str, tuple[int, str]]:
    match manifest:
        case {"format": int(found)} if found > FORMAT_VERSION:
            raise BundleError(
                f"{path} has bundle format {found}, this textbatch reads {FORMAT_VERSION}",
                "upgrade textbatch",
            )
        case {"format": 1, "fingerprint": str(), "files": {**entries}}:
            pass
        case _:
            raise BundleError(f"{path}: {MANIFEST} is malformed", _RESTORE)
    listed: dict[str, tuple[int, str]] = {}
    for name, entry in entries.items():
        match entry:
            case {"size": int(size), "sha256": str(sha256)} if size >= 0 and _NAME.fullmatch(
                str(name)
            ):
                listed[str(name)] = (size, sha256)
            case _:
                raise BundleError(f"{path}: {MANIFEST} is malformed", _RESTORE)
    return listed


def _read(path: Path, cap: int) -> bytes:
    """Read a regular file of at most `cap` bytes, following no link."""
    with storage_errors(path, "cannot read"):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise BundleError(f"{path} is not a regular file", _RESTORE)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            size = os.fstat(descriptor).st_size
            if size > cap:
                raise BundleError(f"{path} has {size} bytes, more than the {cap} allowed", _RESTORE)
            return file.read(cap + 1)
