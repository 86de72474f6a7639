"""The directory of a bundle: its files, their hashes, the fingerprint."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path

from textbatch import __version__
from textbatch.data.storage.atomic_directory import atomic_directory
from textbatch.errors import BundleError, ConflictError, OutputError, TextbatchError, storage_errors
from textbatch.model.bundle.memory_limit import check_memory
from textbatch.model.bundle.strict_json import dump_json, parse_json, read_fields
from textbatch.model.bundle.verified_file import (
    ListedFile,
    check_content,
    check_size,
    opened,
    read_whole,
)
from textbatch.model.layout import LAYOUT, RESTORE

FORMAT_VERSION = 1

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
#: The largest manifest, and the largest sum of all other files than tensors, in bytes.
_MAX_MANIFEST_BYTES, _MAX_BYTES = 64 << 10, 160 << 20


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


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFiles:
    """The files of a bundle. The bytes that were verified are those that are used.

    Attributes:
        path: The directory.
        manifest: Sizes and hashes of all files.
        small: Content of the files that are read, but for those with tensors.
    """

    path: Path
    manifest: Manifest
    small: Mapping[str, bytes]

    def __contains__(self, name: str) -> bool:
        return name in self.manifest.files

    def __getitem__(self, name: str) -> bytes:
        return self.small[name]

    def tensors(self, name: str, most: int) -> bytes:
        """Read and verify a file with tensors.

        Args:
            name: Its name.
            most: The most bytes that the network in `config.json` can have in it.

        Raises:
            BundleError: It is larger, not a regular file, or changed.
        """
        if self.manifest.files[name].size > most:
            raise BundleError(f"{name} is larger than {LAYOUT.config} asks for", RESTORE)
        return read_whole(self.path, name, self.manifest.files[name])

    def everything(self) -> dict[str, bytes]:
        """Read all files as they are, with the manifest, for a copy.

        Raises:
            BundleError: One has changed.
        """
        found = {
            name: read_whole(self.path, name, one) for name, one in self.manifest.files.items()
        }
        return {**found, LAYOUT.manifest: dump_json(asdict(self.manifest))}


def fingerprint_of(files: Mapping[str, ListedFile]) -> str:
    """Compute the fingerprint: a sha256 of names and hashes of the files that decide answers."""
    decide = {*LAYOUT.fingerprinted, *LAYOUT.optional} & files.keys()
    lines = "".join(f"{files[name].sha256}  {name}\n" for name in sorted(decide))
    return hashlib.sha256(lines.encode()).hexdigest()


def listed(files: Mapping[str, bytes]) -> dict[str, ListedFile]:
    """Size and hash of each file.

    Args:
        files: Content of the files, by name.
    """
    return {
        name: ListedFile(size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for name, data in files.items()
    }


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
    entries = listed(files)
    manifest = Manifest(
        format=FORMAT_VERSION,
        textbatch=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=library_versions(),
        fingerprint=fingerprint_of(entries),
        files=entries,
    )
    with atomic_directory(path) as new:
        for name, data in {**files, LAYOUT.manifest: dump_json(asdict(manifest))}.items():
            new.write(name, data)
    return manifest.fingerprint


def library_versions() -> dict[str, str]:
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
            f"{path} exists and is not a model, or holds other files too", "name another directory"
        )


def _is_bundle(path: Path) -> bool:
    # Other programs have a manifest.json too, and all files beside it would be deleted.
    try:
        manifest = _read_manifest(path)
    except TextbatchError:
        return False
    return {entry.name for entry in path.iterdir()} <= {*manifest.files, LAYOUT.manifest}


def read_verified(path: Path, *, beside: int = 0) -> BundleFiles:
    """Read the files of a bundle and compare them with its manifest.

    Files with tensors are read later, when it is known how large they can be.

    Args:
        path: The directory of the bundle.
        beside: What the models that are loaded by now take in memory, in bytes.

    Raises:
        BundleError: A file is missing, extra, not a regular file, too large or changed. Or the
            files together are more than models may take in memory.
        ConflictError: The path is a place with a name before it, as for several models.
    """
    if not path.exists():
        _refuse_named(f"{path}")
        raise BundleError(f"there is no model at {path}", "train one, or give --model")
    if not path.is_dir():
        raise BundleError(
            f"{path} is no model directory; pickles, .h5, .keras and archives are never loaded",
            "give the directory that `textbatch train` wrote",
        )
    with storage_errors(path, "cannot read"):
        most = len(LAYOUT.limits) + 1
        names = sorted(entry.name for entry in islice(path.iterdir(), most + 1))
    if LAYOUT.manifest not in names:
        raise BundleError(f"{path} has no {LAYOUT.manifest}, so it is no model", "check --model")
    manifest = _read_manifest(path)
    _check_list(path, manifest, names)
    read = manifest.files.keys() - {LAYOUT.card, LAYOUT.page}
    check_memory(path, sum(manifest.files[name].size for name in read), beside=beside)
    files: dict[str, bytes] = {}
    for name in sorted(manifest.files.keys() - set(LAYOUT.tensors)):
        if name in (LAYOUT.card, LAYOUT.page):  # they are for people
            check_content(path, name, manifest.files[name])
        else:
            files[name] = read_whole(path, name, manifest.files[name])
    if manifest.fingerprint != fingerprint_of(manifest.files):
        raise BundleError(f"{path}: {LAYOUT.manifest} has a wrong fingerprint", RESTORE)
    return BundleFiles(path=path, manifest=manifest, small=files)


def _check_list(path: Path, manifest: Manifest, names: Collection[str]) -> None:
    """Check names and sizes of a bundle's files, before any of them is read."""
    odd = sorted({*manifest.files, LAYOUT.manifest} ^ set(names))
    odd = odd or sorted(manifest.files.keys() - LAYOUT.limits.keys())
    missing = sorted(set(LAYOUT.fingerprinted) - manifest.files.keys())
    if odd or missing:
        raise BundleError(f"{path}: file '{(odd or missing)[0]}' is missing or extra", RESTORE)
    for name, listed in manifest.files.items():
        check_size(path / name, listed.size, LAYOUT.limits[name])
    small = manifest.files.keys() - set(LAYOUT.tensors)
    check_size(path, sum(manifest.files[name].size for name in small), _MAX_BYTES)


def _read_manifest(path: Path) -> Manifest:
    with opened(path / LAYOUT.manifest, _MAX_MANIFEST_BYTES) as file:
        data = file.read(_MAX_MANIFEST_BYTES)
    value = parse_json(data, LAYOUT.manifest)
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


def _refuse_named(place: str) -> None:
    """Refuse `NAME=PLACE` where one model is asked for: such a directory is most likely not meant.

    Args:
        place: What was given as the place of a model, where there is none.
    """
    name, equals, rest = place.partition("=")
    there = Path(rest).exists() or re.match(r"[a-z0-9+.-]+:/", rest)
    if equals and name.isidentifier() and there:
        raise ConflictError(
            f"{place} is a model with a name, which is for several models at once",
            f"leave {name}= out; `score` and `verify` take several",
        )
