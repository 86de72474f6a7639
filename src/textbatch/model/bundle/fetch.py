"""Loads a bundle from this machine, or from an object store through the cache.

A folder of releases is read once: from then on its current version is the model.
"""

from __future__ import annotations

import os
from pathlib import Path

from textbatch.data.storage.location import Location, is_local, local
from textbatch.data.storage.model_cache import fetch_model, forget_model
from textbatch.errors import AccessError, BundleError, ConflictError, storage_errors
from textbatch.model.bundle.bundle import Bundle, load_bundle
from textbatch.model.bundle.directory import read_verified
from textbatch.model.bundle.releases import current_place

#: How often a folder of releases is read again, whose version went away before it was loaded.
_TRIES = 5


def load_model(model: Location, *, beside: int = 0, several: bool = False) -> Bundle:
    """Load a bundle; of a folder of releases the current one.

    Args:
        model: See `load_placed`.
        beside: See `load_placed`.
        several: See `load_placed`.
    """
    return load_placed(model, beside=beside, several=several)[0]


def load_placed(
    model: Location, *, beside: int = 0, several: bool = False
) -> tuple[Bundle, Location]:
    """Load a bundle, and tell where it stands. From a store it is loaded through the cache.

    Args:
        model: A model directory, or a folder of releases.
        beside: What the models that are loaded by now take in memory, in bytes.
        several: Whether the caller knows models that give a text any number of labels. To all
            others the answers of such a model would mean something else.

    Returns:
        The bundle, and its own place: that stays the same model, whatever is promoted later.

    Raises:
        BundleError: It is missing, damaged or unsafe.
        ConflictError: It gives a text any number of labels, which the caller does not know.
        TryAgainError: The store does not answer.
    """
    bundle, place = _load_placed(model, beside)
    if bundle.classifier.multi_label and not several:
        raise ConflictError(
            f"{model} gives a text any number of labels, which this does not know yet",
            "train, score, evaluate, predict, inspect and verify know such models",
        )
    return bundle, place


def _load_placed(model: Location, beside: int) -> tuple[Bundle, Location]:
    place = current_place(model) if is_local(model) else None
    for _ in range(_TRIES):
        try:
            return _loaded(place or model, beside), place or model
        except (BundleError, AccessError):
            # In a store, most models are no releases: these cost no request more.
            now = current_place(model)
            if now is None or now == place:
                raise
            place = now
    return _loaded(place or model, beside), place or model


def local_copy(place: Location) -> Path:
    """The directory of a model on this machine; of one in a store, its copy in the cache.

    Args:
        place: Where the model stands, as `load_placed` tells it.
    """
    return local(place) if is_local(place) else fetch_model(place)


def model_files(place: Location, fingerprint: str) -> dict[str, bytes]:
    """Read all files of a bundle as they are, with its manifest.

    Args:
        place: Where it stands, as `load_placed` tells it.
        fingerprint: Its fingerprint when it was loaded.

    Raises:
        BundleError: It is damaged, or another one by now.
    """
    files = read_verified(local_copy(place))
    if files.manifest.fingerprint != fingerprint:
        raise BundleError(f"{place} was replaced while it was read", "run again")
    return files.everything()


def _loaded(place: Location, beside: int) -> Bundle:
    if is_local(place):
        # Links are followed once: one that is turned meanwhile gives no mixture of two models.
        with storage_errors(place, "cannot read", missing=BundleError):  # a removed directory
            path = Path(os.path.realpath(local(place)))
            same = path == local(place).absolute()
        return load_bundle(local(place) if same else path, beside=beside)
    copy = fetch_model(place)
    try:
        return load_bundle(copy, beside=beside)
    except BundleError:
        forget_model(copy)
    return load_bundle(fetch_model(place), beside=beside)
