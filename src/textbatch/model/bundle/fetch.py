"""Loads a bundle from this machine, or from an object store through the cache."""

from __future__ import annotations

from textbatch.data.storage.location import Location, is_local, local
from textbatch.data.storage.model_cache import fetch_model, forget_model
from textbatch.errors import BundleError
from textbatch.model.bundle.bundle import Bundle, load_bundle


def load_model(model: Location) -> Bundle:
    """Load a bundle. From a store it is loaded through the cache.

    Raises:
        BundleError: It is missing, damaged or unsafe.
        TryAgainError: The store does not answer.
    """
    if is_local(model):
        return load_bundle(local(model))
    copy = fetch_model(model)
    try:
        return load_bundle(copy)
    except BundleError:
        forget_model(copy)
    return load_bundle(fetch_model(model))
