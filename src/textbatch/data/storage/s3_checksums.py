"""The checksums of S3: those of whole objects that this machine can compute."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from textbatch.data.storage.checksums import Checksum, Summing

#: Continues a sum, from that of the bytes before.
_Extend = Callable[[bytes, int], int]


def s3_checksum(answer: Mapping[str, Any]) -> Checksum | None:
    """The checksum that an answer tells; None if there is none that can be compared.

    Args:
        answer: What boto3 gives for a `HEAD` that asks for checksums.
    """
    for name, begin in _sums().items():
        told = answer.get(f"Checksum{name}") or ""
        if told and "-" not in told:  # that would be a checksum of the checksums of parts
            return Checksum(begin, base64.b64decode(told))
    return None


def _sums() -> dict[str, Callable[[], Summing]]:
    sums: dict[str, Callable[[], Summing]] = {
        "CRC32": partial(_Crc, zlib.crc32, 4),
        "SHA256": hashlib.sha256,
        "SHA1": partial(hashlib.sha1, usedforsecurity=False),
    }
    try:
        from awscrt import checksums
    except ImportError:
        return sums
    return {
        "CRC64NVME": partial(_Crc, checksums.crc64nvme, 8),
        "CRC32C": partial(_Crc, checksums.crc32c, 4),
        **sums,
    }


class _Crc:
    def __init__(self, extend: _Extend, size: int) -> None:
        self._extend, self._size = extend, size
        self._sum = 0

    def update(self, data: bytes, /) -> None:
        self._sum = self._extend(data, self._sum)

    def digest(self) -> bytes:
        return self._sum.to_bytes(self._size, "big")
