"""The directory of a bundle: its files, their hashes, the fingerprint."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from textbatch import __version__
from textbatch.data.storage.atomic_directory import atomic_directory
from textbatch.data.strict_json import Count, Sha256
from textbatch.errors import BundleError, OutputError, TextbatchError, storage_errors
from textbatch.model.bundle.strict_json import dump_json, parse_json, read_fields
from textbatch.model.layout import LAYOUT, RESTORE

FORMAT_VERSION = 1

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MAX_JSON_BYTES, _MAX_FILE_BYTES = 64 << 20, 4 << 30
_MAX_FILES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """A file in the manifest: its size in bytes, and its sha256 in hex."""

    size: Count
    sha256: Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What `manifest.json` holds.

    Attributes:
        format: Version of the bundle's format.
        textbatch: The version of textbatch that wrote it.
        created: Time of writing, as ISO 8601 in UTC.
        versions: Versions of the libraries that took part, by name.
        fingerprint: The sha256 of the hashes of the files that decide the answers.
        files: All other files, by name.
    """

    format: int
    textbatch: str
    created: str
    versions: dict[str, str]
    fingerprint: str
    files: dict[str, ListedFile]


def fingerprint_of(files: Mapping[str, ListedFile]) -> str:
    """Compute the fingerprint: a sha256 of names and hashes of the files that decide answers."""
    decide = {*LAYOUT.fingerprinted, *LAYOUT.linear_model} & files.keys()
    lines = "".join(f"{files[name].sha256}  {name}\n" for name in sorted(decide))
    return hashlib.sha256(lines.encode()).hexdigest()


def write_directory(path: Path, files: Mapping[str, bytes], *, overwrite: bool) -> str:
    """Write files and their manifest into a new directory, which appears whole.

    Args:
        path: The directory.
        files: Content of the files, by name.
        overwrite: Whether an older bundle may be replaced.

    Returns:
        The fingerprint.

    Raises:
        OutputError: `path` exists and may not be replaced.
        StorageError: Writing failed.
    """
    check_replaceable(path, overwrite=overwrite)
    listed = {
        name: ListedFile(size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for name, data in files.items()
    }
    manifest = Manifest(
        format=FORMAT_VERSION,
        textbatch=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=_versions(),
        fingerprint=fingerprint_of(listed),
        files=listed,
    )
    with atomic_directory(path) as new:
        for name, data in {**files, LAYOUT.manifest: dump_json(asdict(manifest))}.items():
            new.write(name, data)
    return manifest.fingerprint


def _versions() -> dict[str, str]:
    """The versions of the libraries that decide the answers, as far as they are installed."""
    found = {}
    for name in ("tensorflow", "keras", "gensim", "onnxruntime", "numpy", "pyarrow"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def check_replaceable(path: Path, *, overwrite: bool) -> None:
    """Check that a bundle may be written.

    Args:
        path: The directory of the bundle.
        overwrite: Whether an older bundle may be replaced.

    Raises:
        OutputError: There is a bundle that must stay, or something that is not a bundle.
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
    # Other programs have a manifest.json too, and all files beside it would be deleted.
    try:
        manifest = _read_manifest(path)
    except TextbatchError:
        return False
    return {entry.name for entry in path.iterdir()} <= {*manifest.files, LAYOUT.manifest}


def read_verified(path: Path) -> tuple[Manifest, dict[str, bytes]]:
    """Read the files of a bundle and compare them with its manifest.

    Args:
        path: The directory of the bundle.

    Returns:
        The manifest, and the bytes of every other file by name.

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
    if LAYOUT.manifest not in names:
        raise BundleError(
            f"{path} has no {LAYOUT.manifest}, so it is not a bundle", "check --model"
        )
    if len(names) > _MAX_FILES:
        raise BundleError(f"{path} holds {len(names)} files", RESTORE)
    manifest = _read_manifest(path)
    odd = sorted({*manifest.files, LAYOUT.manifest} ^ set(names))
    missing = sorted(set(LAYOUT.fingerprinted) - manifest.files.keys())
    if odd or missing:
        raise BundleError(f"{path}: file '{(odd or missing)[0]}' is missing or extra", RESTORE)
    files: dict[str, bytes] = {}
    for name, listed in manifest.files.items():
        cap = _MAX_FILE_BYTES if name.endswith(".safetensors") else _MAX_JSON_BYTES
        data = _read(path / name, min(cap, listed.size))
        if len(data) != listed.size or hashlib.sha256(data).hexdigest() != listed.sha256:
            raise BundleError(f"{path}: file '{name}' is damaged (its sha256 differs)", RESTORE)
        files[name] = data
    if manifest.fingerprint != fingerprint_of(manifest.files):
        raise BundleError(f"{path}: {LAYOUT.manifest} has a wrong fingerprint", RESTORE)
    return manifest, files


def _read_manifest(path: Path) -> Manifest:
    value = parse_json(_read(path / LAYOUT.manifest, _MAX_JSON_BYTES), LAYOUT.manifest)
    match value:
        case {"format": int(found)} if found > FORMAT_VERSION:
            raise BundleError(
                f"{path} has bundle format {found}, this textbatch reads {FORMAT_VERSION}",
                "upgrade textbatch",
            )
    malformed = BundleError(f"{path}: {LAYOUT.manifest} is malformed", RESTORE)
    try:
        manifest = read_fields(Manifest, value, LAYOUT.manifest)
    except BundleError as error:
        raise malformed from error
    if manifest.format != FORMAT_VERSION or not all(map(_NAME.fullmatch, manifest.files)):
        raise malformed
    return manifest


def _read(path: Path, cap: int) -> bytes:
    """Read a regular file of at most `cap` bytes. Links are not followed."""
    with storage_errors(path, "cannot read"):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise BundleError(f"{path} is not a regular file", RESTORE)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            size = os.fstat(descriptor).st_size
            if size > cap:
                raise BundleError(f"{path} has {size} bytes, more than the {cap} allowed", RESTORE)
            return file.read(cap + 1)
