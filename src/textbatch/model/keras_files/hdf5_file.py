"""HDF5 files, under limits: no links to elsewhere, no content beside the file, no bombs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import h5py
import numpy as np

from textbatch.errors import BundleError
from textbatch.types import Float32Array

_REMEDY = "save the model again with model.save"
_MAX_OBJECTS, _MAX_DEPTH = 100_000, 24
#: All weights together, in bytes; and how much of a dataset may not be in the file.
_MAX_BYTES, _MAX_RATIO = 4 << 30, 100
_MAX_ATTRIBUTE = 64 << 20
#: What HDF5 may do to read weights: decompress, put bytes in order, check a sum.
_FILTERS = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32)


class Hdf5File:
    """An open HDF5 file. Use it in a `with` statement.

    Args:
        file: Its bytes.
        name: Its name, for messages.

    Raises:
        BundleError: It is damaged, or has links or datasets that are not allowed.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        self._left = _MAX_BYTES
        #: All groups by their path.
        self.groups: set[str] = set()
        try:
            self._file = h5py.File(file, "r")
            #: All datasets by their path; back-slashes, which Windows wrote, are slashes.
            self.datasets = dict(self._walk())
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise BundleError(f"{name} is no HDF5 file, or damaged", _REMEDY) from error

    def __enter__(self) -> Hdf5File:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _walk(self) -> Iterator[tuple[str, Any]]:
        waiting, seen = [("", self._file, 0)], 0
        while waiting:
            prefix, group, depth = waiting.pop()
            for key in group:
                seen += 1
                if seen > _MAX_OBJECTS or depth > _MAX_DEPTH:
                    raise BundleError(f"{self.name} has too many parts", _REMEDY)
                if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                    raise BundleError(f"{self.name} has a link to elsewhere", _REMEDY)
                child, path = group[key], f"{prefix}{key}".replace("\\", "/")
                if isinstance(child, h5py.Group):
                    self.groups.add(path)
                    waiting.append((f"{path}/", child, depth + 1))
                elif isinstance(child, h5py.Dataset):
                    yield path, child

    def attribute(self, path: str, name: str) -> Any:  # noqa: ANN401 - texts, or a list of them
        """An attribute of a group: a text, a list of texts; None if it is not there.

        Keras cuts long lists into several attributes, whose names end with numbers.

        Args:
            path: The group.
            name: The attribute.

        Raises:
            BundleError: It is damaged.
        """
        try:
            group = self._file[path] if path else self._file
            if name in group.attrs:
                return _decoded(self._given(group.attrs, name))
            found: list[str] = []
            number = 0
            while f"{name}{number}" in group.attrs:
                found += _decoded(self._given(group.attrs, f"{name}{number}"))
                number += 1
            return found if number else None
        except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
            raise BundleError(f"{self.name} is damaged", _REMEDY) from error

    def _given(self, attributes: Any, name: str) -> Any:  # noqa: ANN401 - h5py has no types
        of = attributes.get_id(name)
        # Not its storage size: h5py raises an error for that of an empty list.
        if int(np.prod(of.shape, dtype=object)) * of.dtype.itemsize > _MAX_ATTRIBUTE:
            raise BundleError(f"{self.name} has an attribute that is too large", _REMEDY)
        return attributes[name]

    def array(self, path: str) -> Float32Array:
        """A dataset as float32, of its own shape.

        Args:
            path: Its path.

        Raises:
            BundleError: It is not there, not of floats, kept outside the file, or too large.
        """
        dataset = self.datasets.get(path)
        if dataset is None:
            raise BundleError(f"{self.name} lacks weights", _REMEDY)
        try:
            if dataset.dtype.kind != "f" or dataset.dtype.itemsize not in (2, 4, 8):
                raise BundleError(f"{self.name} has weights that are no floats", _REMEDY)
            if dataset.external or dataset.is_virtual or not _plain_filters(dataset):
                raise BundleError(f"{self.name} keeps weights in another file or form", _REMEDY)
            size = int(np.prod(dataset.shape, dtype=object)) * dataset.dtype.itemsize
            if size > dataset.id.get_storage_size() * _MAX_RATIO or size > self._left:
                raise BundleError(f"{self.name} has weights that are too large", _REMEDY)
            self._left -= size
            return np.asarray(dataset[()], np.float32)
        except (OSError, RuntimeError, ValueError, TypeError) as error:
            raise BundleError(f"{self.name} is damaged", _REMEDY) from error


def _plain_filters(dataset: Any) -> bool:  # noqa: ANN401
    """Whether no filter is a plugin, which HDF5 would load. Its own ones have numbers."""
    written = dataset.id.get_create_plist()
    return all(written.get_filter(at)[0] in _FILTERS for at in range(written.get_nfilters()))


def _decoded(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, np.ndarray):
        return [_decoded(one) for one in value.tolist()]
    if isinstance(value, str):
        return value
    raise ValueError("not text")
