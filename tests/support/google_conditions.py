"""The condition `ifGenerationMatch`, which the emulator of Google's store leaves out."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterable
from urllib.parse import parse_qs, quote, unquote, urlsplit

_OBJECT = re.compile(r"(?:/download)?/storage/v1/b/([^/]+)/o/(.+)")
_UPLOAD = re.compile(r"(?:/resumable)?/upload/storage/v1/b/([^/]+)/o")
_NAME = re.compile(rb'"name"\s*:\s*("(?:[^"\\]|\\.)*")')


class Conditions:
    """Refuses what Google would refuse: with 412 where another generation stands.

    Args:
        port: The port of the emulator.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        #: Uploads in pieces have their condition in the first request alone.
        self._uploads: dict[str, tuple[str, str, str]] = {}
        self.asked = self.refused = 0

    def __call__(self, method: str, path: str, body: bytes) -> int:
        """The status of the refusal; 0 if there is none."""
        if not (found := self._condition(method, path, body)):
            return 0
        bucket, name, wanted = found
        self.asked += 1
        if self._generation(bucket, name) == wanted:
            return 0
        self.refused += 1
        return 412

    def answered(
        self, method: str, path: str, body: bytes, headers: Iterable[tuple[str, str]]
    ) -> None:
        """Remember the condition of an upload that was begun."""
        place = next((value for name, value in headers if name.lower() == "location"), "")
        if place and (found := self._condition(method, path, body)):
            self._uploads[parse_qs(urlsplit(place).query)["upload_id"][0]] = found

    def _condition(self, method: str, path: str, body: bytes) -> tuple[str, str, str] | None:
        address = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if begun := self._uploads.get(query.get("upload_id", "")):
            return begun
        if (wanted := query.get("ifGenerationMatch")) is None:
            return None
        if method == "POST" and (found := _UPLOAD.fullmatch(address.path)):
            named = _NAME.search(body)
            name = query.get("name") or (json.loads(named[1]) if named else "")
            return found[1], name, wanted
        found = _OBJECT.fullmatch(address.path)
        assert found, path
        return found[1], unquote(found[2]), wanted

    def _generation(self, bucket: str, name: str) -> str:
        """The generation that stands there; 0 for none, as Google counts."""
        place = f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{place}") as answer:
                return json.load(answer)["generation"]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return "0"
            raise
