"""A proxy before the server of any store, which fails when it is told to."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.google_conditions import Conditions
from support.object_store import Faults

#: How long a client of these tests waits for an answer.
REQUEST_SECONDS = 1
KINDS = ("500", "503", "timeout", "reset", "lost", "short", "cut", "drip")


class Proxy:
    """Hands requests on to a server at a port of this machine.

    Args:
        port: The port.
    """

    def __init__(self, port: int) -> None:
        self.faults = Faults()
        #: What `replaced` does before the request is handed on.
        self.replace = lambda: None
        #: What the server should check and does not.
        self.conditions: Conditions | None = None
        self.flip()
        handler = type("Handler", (_Handler,), {"proxy": self, "upstream": port})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def flip(self, first: int = 0, count: int = 1) -> None:
        """Flip a bit of some contents, the first of which is number 1; 0 flips none."""
        with self.faults.lock:
            self.bodies = self.flipped = 0
            self._flips = range(first, first + count if first else 0)

    def passed(self, body: bytes) -> bytes:
        """The content of an object, on its way here or back."""
        with self.faults.lock:
            self.bodies += 1
            if not body or self.bodies not in self._flips:
                return body
            self.flipped += 1
        turned = bytearray(body)
        turned[len(turned) // 2] ^= 1
        return bytes(turned)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _is_content(headers: Iterable[tuple[str, str]]) -> bool:
    """Whether a body is the content of an object, and not what the store says about it."""
    kinds = [value for name, value in headers if name.lower() == "content-type"]
    return not any("json" in kind or "xml" in kind for kind in kinds)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy
    upstream: int

    def log_message(self, *_) -> None:
        pass

    def __getattr__(self, name: str):
        if name.startswith("do_"):  # one for each method of HTTP
            return self._handle
        raise AttributeError(name)

    def _handle(self) -> None:
        kind = self.proxy.faults.next({"REQUEST_METHOD": self.command, "PATH_INFO": self.path})
        body = self._body()
        if kind in ("500", "503"):
            self._answer(int(kind), [], b"")
        elif kind == "reset":
            self._reset()
        elif kind == "timeout":
            time.sleep(2 * REQUEST_SECONDS + 1)
            self._reset()
        else:
            self._pass_on(kind, body)

    def _pass_on(self, kind: str, body: bytes) -> None:
        if kind == "replaced":
            self.proxy.replace()
        conditions = self.proxy.conditions
        if conditions and (refused := conditions(self.command, self.path, body)):
            self._answer(refused, [], b"")
            return
        sent = body
        if self.command in ("PUT", "POST") and _is_content(self.headers.items()):
            sent = self.proxy.passed(body)
        status, headers, answer = self._ask(sent)
        if conditions:
            conditions.answered(self.command, self.path, body, headers)
        if self.command == "GET" and status < 300 and _is_content(headers):
            answer = self.proxy.passed(answer)
        if kind == "lost":
            self._reset()
        elif kind in ("short", "cut", "drip") and self.command == "GET":
            self._mangled(kind, status, headers, answer)
        else:
            self._answer(status, headers, answer)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=30)
        dropped = ("transfer-encoding", "content-length", "connection", "expect")
        headers = {n: v for n, v in self.headers.items() if n.lower() not in dropped}
        if body or self.command in ("PUT", "POST", "PATCH"):
            headers["Content-Length"] = str(len(body))
        connection.request(self.command, self.path, body=body, headers=headers)
        answer = connection.getresponse()
        data = answer.read()
        kept = ("transfer-encoding", "connection", "keep-alive")
        found = [(n, v) for n, v in answer.getheaders() if n.lower() not in kept]
        connection.close()
        return answer.status, found, data

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        with contextlib.suppress(OSError):
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() != "content-length" or self.command == "HEAD":
                    self.send_header(name, value)
            if self.command != "HEAD":
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body)

    def _mangled(self, kind: str, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() != "content-length":
                    self.send_header(name, value)
            if kind != "short":
                self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            if kind != "drip":
                self.wfile.write(body[: len(body) // 2])
                return
            for byte in body[: 40 * REQUEST_SECONDS]:
                self.wfile.write(bytes([byte]))
                time.sleep(REQUEST_SECONDS / 5)

    def _reset(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
