"""A server that speaks the S3 protocol over HTTP on loopback, and fails when it is told to."""

from __future__ import annotations

import base64
import contextlib
import io
import logging
import re
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

BUCKET = "bucket"
#: How long a client waits for an answer; a call that times out is answered a second later.
REQUEST_SECONDS = 3
_SLOW_DOWN = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code>'
    b"<Message>Reduce your request rate</Message></Error>"
)


@dataclass
class Faults:
    """Which calls fail, and how.

    Attributes:
        kind: `500`, `503`, `timeout`, `reset` (before the call is done) or `lost` (after it);
            `short` (half of the body, without a length) or `cut` (with one); `drip` (a byte now
            and then); `cap` (at most a thousand bytes of a range); `flip` (one bit of a body, on
            its way here or back); `replaced` (what `Store.replace` does comes first); or the status
            and the code of an answer, as `400:ExpiredToken`.
        first: Number of the first call that fails, from 1; 0 for none.
        count: How many calls fail.
        step: How many calls there are from one that fails to the next one.
        calls: Calls since the last `begin`, as "GET /bucket/key".
        hits: How many of them failed.
    """

    kind: str = ""
    first: int = 0
    count: int = 1
    step: int = 1
    denied: bool = False
    denies_writes: bool = False
    hits: int = 0
    calls: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, kind: str = "", first: int = 0, count: int = 1, step: int = 1) -> None:
        """Forget what was; several kinds, with spaces between them, take turns."""
        with self.lock:
            self.kind, self.first, self.count, self.step = kind, first, count, step
            self.denied, self.denies_writes, self.hits = False, False, 0
            self.calls.clear()

    def denies(self, environ: dict[str, str]) -> bool:
        writes = environ["REQUEST_METHOD"] in ("PUT", "POST")
        return self.denied or (self.denies_writes and writes)

    def next(self, environ: dict[str, str]) -> str:
        with self.lock:
            self.calls.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            after, between = divmod(len(self.calls) - self.first, self.step)
            if not self.first or between or not 0 <= after < self.count:
                return ""
            self.hits += 1
            kinds = self.kind.split()
            return kinds[after % len(kinds)]


class Store:
    """The server, and a look into it past its faults."""

    def __init__(self) -> None:
        self.faults = Faults()
        #: What `replaced` does before the call is done.
        self.replace = lambda: None
        self._app = DomainDispatcherApplication(create_backend_app)
        self._quiet = threading.local()
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = make_server("127.0.0.1", 0, self._serve, threaded=True)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "geheim",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "TEXTBATCH_RETRY_SECONDS": "30",
            "TEXTBATCH_REQUEST_SECONDS": str(REQUEST_SECONDS),
        }

    def open(self) -> None:
        self.client = boto3.client("s3")
        self.client.create_bucket(Bucket=BUCKET)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def clear(self) -> None:
        self.faults.begin()
        for key in self.keys():
            self.client.delete_object(Bucket=BUCKET, Key=key)
        for entry in self._uploads():
            names = {"Key": entry["Key"], "UploadId": entry["UploadId"]}
            self.client.abort_multipart_upload(Bucket=BUCKET, **names)

    def keys(self, prefix: str = "") -> list[str]:
        found: list[str] = []
        for page in self.client.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, Prefix=prefix
        ):
            found += [entry["Key"] for entry in page.get("Contents", ())]
        return found

    def uploads(self) -> list[str]:
        """Keys that a multipart upload is under way to."""
        return [entry["Key"] for entry in self._uploads()]

    def _uploads(self) -> list[dict]:
        pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=BUCKET)
        return [entry for page in pages for entry in page.get("Uploads", ())]

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=data)

    def put_folder(self, folder: Path, prefix: str) -> None:
        for path in folder.rglob("*"):
            if path.is_file():
                self.put(f"{prefix}/{path.relative_to(folder)}", path.read_bytes())

    def get(self, key: str) -> bytes:
        return self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def table(self, key: str) -> pa.Table:
        return pq.ParquetFile(io.BytesIO(self.get(key))).read()

    def _serve(self, environ: dict, start_response) -> Iterable[bytes]:
        kind = self.faults.next(environ)
        kind = "403:AccessDenied" if self.faults.denies(environ) else kind
        if kind in ("500", "503"):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            status = "503 Slow Down" if kind == "503" else "500 Internal Server Error"
            body = b"" if environ["REQUEST_METHOD"] == "HEAD" else _SLOW_DOWN
            if kind == "500":
                body = body.replace(b"SlowDown", b"InternalError")
            start_response(
                status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
            )
            return [body]
        if kind == "reset":
            return _reset(environ)
        if kind == "flip" and not _takes_flipped(environ):
            kind = "400:BadDigest"
        if ":" in kind:
            return _refusal(environ, start_response, *kind.split(":"))
        if kind == "replaced":
            self.replace()
        if kind in ("short", "cut", "drip", "flip"):
            return _mangled(environ, self._app, kind)
        if kind == "cap":
            _cap(environ)
        return self._done(kind, environ, start_response)

    def _done(self, kind: str, environ: dict, start_response) -> Iterable[bytes]:
        answer = self._app(environ, start_response)
        if kind == "lost":
            list(answer)
            return _reset(environ)
        if kind == "timeout":
            time.sleep(REQUEST_SECONDS + 1)
        return answer


def _refusal(environ: dict, start_response, status: str, code: str) -> Iterable[bytes]:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>x</Message></Error>".encode()
    body = b"" if environ["REQUEST_METHOD"] == "HEAD" else body
    start_response(f"{status} No", [("Content-Length", str(len(body)))])
    return [body]


def _takes_flipped(environ: dict) -> bool:
    """Flip a bit of what is put; then check it as S3 does, which moto leaves out."""
    if environ["REQUEST_METHOD"] != "PUT":
        return True
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    body = bytes([*body[:-1], body[-1] ^ 1]) if body else body
    environ["wsgi.input"] = io.BytesIO(body)
    told = environ.get("HTTP_X_AMZ_CHECKSUM_CRC32")
    return told is None or told == base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def _cap(environ: dict) -> None:
    """Have the store give less of a range than is asked for, as some do."""
    if found := re.fullmatch(r"bytes=(\d+)-(\d+)", environ.get("HTTP_RANGE", "")):
        first, last = map(int, found.groups())
        environ["HTTP_RANGE"] = f"bytes={first}-{min(last, first + 999)}"


def _mangled(environ: dict, app, kind: str) -> Iterable[bytes]:
    """Answer on the bare connection, which no server would do so."""
    told: list = []
    body = b"".join(app(environ, lambda status, headers, *_: told.extend((status, headers))))
    status, headers = told
    kept = [(n, v) for n, v in headers if kind != "short" or n.lower() != "content-length"]
    lines = [f"HTTP/1.1 {status}", *(f"{n}: {v}" for n, v in kept), "Connection: close", "", ""]
    connection: socket.socket = environ["werkzeug.socket"]
    with contextlib.suppress(OSError):
        connection.sendall("\r\n".join(lines).encode())
        if kind == "flip":
            middle = len(body) // 2
            flipped = bytes(byte ^ 1 for byte in body[middle : middle + 1])
            connection.sendall(body[:middle] + flipped + body[middle + 1 :])
        elif kind != "drip":
            connection.sendall(body[: len(body) // 2])
        for byte in body if kind == "drip" else b"":
            connection.sendall(bytes([byte]))
            time.sleep(REQUEST_SECONDS / 10)
        connection.shutdown(socket.SHUT_RDWR)
    return []


def _reset(environ: dict) -> Iterable[bytes]:
    connection: socket.socket = environ["werkzeug.socket"]
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    return []
