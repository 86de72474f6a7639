"""The download of a file whose size and checksum are known: bounded, checked, and gone on with."""

from __future__ import annotations

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import urlsplit

from textbatch.data.storage.retry import SLOWEST, request_seconds, retry_seconds
from textbatch.errors import DataError, InputNotFoundError, TryAgainError

BLOCK_BYTES = 1 << 18
#: An attempt that gained so much, in bytes, is no failure: the time to try again begins anew.
_GAIN_BYTES = 1 << 20
#: A file may be larger than its published size, which some lists round.
_SLACK_BYTES = 1 << 20
#: How often the size of the file may come over the network in one run.
_MOST_TIMES = 3
_MAX_REDIRECTS = 5
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 20.0
#: Answers after which the same request may succeed.
_TEMPORARY = (408, 425, 429, 500, 502, 503, 504)
_ELSEWHERE = "it redirects to another host, or too often"


class _BrokenOffError(Exception):
    """The connection failed; another attempt may go on."""


class Download:
    """The download of a file, in as many attempts as it takes."""

    def __init__(
        self,
        url: str,
        part: int,
        *,
        size: int,
        md5: str,
        hosts: tuple[str, ...],
        what: str,
        by_hand: str,
        on_bytes: Callable[[int], None],
    ) -> None:
        """Look at what is there.

        Args:
            url: Address of the file.
            part: Descriptor of the file that it goes to. What is there is its beginning.
            size: Its published size, in bytes.
            md5: Its published checksum.
            hosts: Where the address may redirect to: names of hosts, or `.domain` for all below it.
            what: What asks for it, for messages.
            by_hand: How to do without a network, for messages.
            on_bytes: Called with the number of bytes that were had since the last call.
        """
        self._url, self._part, self._published, self._md5 = url, part, size, md5
        self._what, self._by_hand, self._on_bytes = what, by_hand, on_bytes
        self._opener = urllib.request.build_opener(_Redirects(url, hosts, self._refuse))
        self._digest = hashlib.md5(usedforsecurity=False)
        self._size = self._told = self._fetched = 0
        self._resumed = False
        while block := os.pread(part, BLOCK_BYTES, self._size):
            self._count(block)

    def run(self) -> None:
        """Fetch what is missing, and check the whole.

        Raises:
            InputNotFoundError: The server has no such file, or leads elsewhere.
            DataError: It sends another file.
            TryAgainError: It does not answer, or breaks off again and again.
            OSError: The file cannot be written.
        """
        until, wait = time.monotonic() + retry_seconds(), _FIRST_WAIT
        while not self._is_whole():
            before = self._size
            try:
                self._attempt()
                if not self._is_whole():
                    self._damaged()
                continue
            except _BrokenOffError as error:
                if self._size - before >= min(_GAIN_BYTES, self._published):
                    until, wait = time.monotonic() + retry_seconds(), _FIRST_WAIT
                # Where nothing ever answers there is no network: waiting would not help.
                unreachable = isinstance(error.__cause__, urllib.error.URLError)
                gone = unreachable and not self._fetched
                often = self._fetched > _MOST_TIMES * (self._published + _SLACK_BYTES)
                if gone or often or time.monotonic() + wait > until:
                    raise TryAgainError(
                        f"{self._what}: cannot fetch {self._url}: {error}",
                        f"run again later, {self._by_hand}",
                    ) from None
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    def _is_whole(self) -> bool:
        return self._digest.hexdigest() == self._md5

    def _damaged(self) -> None:
        """All has come, but it is another file. What was there before may be what is wrong."""
        resumed = self._resumed
        self._restart()
        if not resumed:
            self._wrong("has another checksum than the published file")

    def _attempt(self) -> None:
        """Ask for the rest, and take what comes.

        Raises:
            _BrokenOffError: Not all came.
        """
        self._resumed = self._size > 0
        headers = {"Accept-Encoding": "identity", "User-Agent": "textbatch"}
        if self._resumed:
            headers["Range"] = f"bytes={self._size}-"
        request = urllib.request.Request(self._url, headers=headers)
        try:
            with self._opener.open(request, timeout=request_seconds() or None) as answer:
                self._take(answer)
        except urllib.error.HTTPError as error:
            error.close()
            self._refused(error.code)
        except (OSError, http.client.HTTPException) as error:
            if getattr(error, "filename", None) == self._part:
                raise
            # The text of the error is not passed on: it may hold a signed address.
            raise _BrokenOffError(_reason(getattr(error, "reason", error))) from error

    def _take(self, answer: Any) -> None:  # noqa: ANN401 - of http.client, or of a proxy's opener
        if answer.status == 200:
            self._restart()
        elif answer.status != 206 or not _continues(answer.headers, self._size):
            self._restart()
            raise _BrokenOffError("the server sends another part than was asked for")
        if self._size + (answer.length or 0) > self._published + _SLACK_BYTES:
            self._too_large()
        begun, first = time.monotonic(), self._size
        while block := answer.read1(BLOCK_BYTES):
            self._keep(block)
            if self._size > self._published + _SLACK_BYTES:
                self._too_large()
            passed = time.monotonic() - begun
            if passed > request_seconds() > 0:
                if self._size - first < SLOWEST * passed:
                    raise _BrokenOffError("the server sends too slowly")
                begun, first = time.monotonic(), self._size
        # Promised and not come; or no promise, and it may have broken off anywhere.
        if answer.length or (answer.length is None and not answer.chunked and not self._is_whole()):
            raise _BrokenOffError("the connection broke off")

    def _keep(self, block: bytes) -> None:
        rest, at = memoryview(block), self._size
        while rest:
            try:
                written = os.pwrite(self._part, rest, at)
            except OSError as error:
                error.filename = self._part  # of the disk, not of the network
                raise
            rest, at = rest[written:], at + written
        self._fetched += len(block)
        self._count(block)

    def _count(self, block: bytes) -> None:
        self._digest.update(block)
        self._size += len(block)
        # What is fetched twice counts once.
        if self._size > self._told:
            self._on_bytes(self._size - self._told)
            self._told = self._size

    def _restart(self) -> None:
        os.ftruncate(self._part, 0)
        self._size, self._digest = 0, hashlib.md5(usedforsecurity=False)
        self._resumed = False

    def _refused(self, status: int) -> NoReturn:
        if status == 416 and self._size:
            self._restart()
        elif status not in _TEMPORARY:
            self._refuse(_ELSEWHERE if status < 400 else f"the server answers {status}")
        raise _BrokenOffError(f"the server answers {status}")

    def _refuse(self, why: str) -> NoReturn:
        raise InputNotFoundError(
            f"{self._what}: cannot fetch {self._url}: {why}", f"run again later, {self._by_hand}"
        )

    def _too_large(self) -> NoReturn:
        self._restart()
        self._wrong(f"is larger than the published {self._published:,} bytes")

    def _wrong(self, why: str) -> NoReturn:
        raise DataError(
            f"{self._what}: what comes from {self._url} {why}", f"check the proxy, {self._by_hand}"
        )


def _reason(error: object) -> str:
    kind = type(error).__name__
    if kind == "gaierror":
        return "its host is not found; is there a network?"
    if isinstance(error, TimeoutError):
        return "the server does not answer in time"
    number = error.errno if isinstance(error, ConnectionError) else None
    return os.strerror(number) if number else kind


def _continues(headers: Any, size: int) -> bool:  # noqa: ANN401 - a message of http.client
    return str(headers.get("Content-Range", "")).startswith(f"bytes {size}-")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to the hosts of the publisher alone, by the same protocol."""

    max_redirections = _MAX_REDIRECTS

    def __init__(self, url: str, hosts: tuple[str, ...], refuse: Callable[[str], NoReturn]) -> None:
        own = urlsplit(url)
        self._scheme, self._hosts = own.scheme, (own.hostname or "", *hosts)
        self._refuse = refuse

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: Any,  # noqa: ANN401 - as the class above has it
        code: int,
        msg: str,
        headers: Any,  # noqa: ANN401
        newurl: str,
    ) -> urllib.request.Request | None:
        new = urlsplit(newurl)
        host = (new.hostname or "").lower()
        known = any(
            host.endswith(one) if one.startswith(".") else host == one for one in self._hosts
        )
        if new.scheme != self._scheme or not known:
            fp.close()
            self._refuse(_ELSEWHERE)
        return super().redirect_request(req, fp, code, msg, headers, newurl)
