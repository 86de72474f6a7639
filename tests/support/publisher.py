"""A server that publishes one file, and can be told to misbehave."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Publisher:
    """The server.

    Attributes:
        content: What it sends.
        modes: How it behaves on the next requests; after the last one, well.
        asked: The `Range` of each request; empty for none.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.modes: list[str] = []
        self.asked: list[str] = []
        self.elsewhere = "http://localhost:1/file.gz"
        handler = type("Handler", (_Handler,), {"publisher": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/file.gz"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    publisher: Publisher

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        own = self.publisher
        wanted = self.headers.get("Range") or ""
        own.asked.append(wanted)
        mode = own.modes.pop(0) if own.modes else "well"
        if mode == "elsewhere":
            self._answer(302, b"", Location=own.elsewhere)
        elif mode == "here":
            self._answer(302, b"", Location=own.url)
        elif mode.isdigit():
            self._answer(int(mode), b"no")
        else:
            self._send(mode, re.fullmatch(r"bytes=(\d+)-", wanted))

    def _send(self, mode: str, wanted: re.Match[str] | None) -> None:
        data = {
            "wrong": self.publisher.content[::-1],
            "other": b"<html>Please log in</html>",
            "long": self.publisher.content + bytes(3 << 20),
        }.get(mode, self.publisher.content)
        start = int(wanted[1]) if wanted and mode != "no ranges" else 0
        if start >= len(data):
            self._answer(416, b"")
            return
        told = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        if mode == "other part" and start:
            told = {"Content-Range": f"bytes 1-{len(data) - 1}/{len(data)}"}
        body = data[start:]
        self.send_response(206 if start else 200)
        for name, value in told.items():
            self.send_header(name, value)
        if mode not in ("no length", "long", "half, no length"):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if mode == "slow":
            with contextlib.suppress(ConnectionError):
                for place in range(100):
                    self.wfile.write(body[place : place + 1])
                    time.sleep(0.05)
            return
        self.wfile.write(body[: len(body) // 2] if mode.startswith("half") else body)

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
