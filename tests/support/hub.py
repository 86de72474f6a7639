"""A server that speaks the HTTP of Hugging Face's hub: one data set with one branch."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

REPO = "tester/rows"
_API, _FILES = f"/api/datasets/{REPO}", f"/datasets/{REPO}"


class Hub:
    """The server. `files` is what the data set holds."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.large: dict[str, bytes] = {}
        self.commits = 0
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def commit(self) -> str:
        """The commit that the branch is at."""
        return hashlib.sha1(str(self.commits).encode()).hexdigest()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def entry(self, path: str) -> dict:
        data = self.files[path]
        found = {"type": "file", "path": path, "size": len(data), "oid": tag_of(data)}
        if path.endswith(".parquet"):  # what is kept outside of git
            told = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
            found |= {"oid": "0" * 40, "lfs": told}
        return found

    def entries(self, folder: str, *, recursive: bool) -> list[dict] | None:
        """What is in a folder; None if there is no such one."""
        start = f"{folder}/" if folder else ""
        below = [path for path in sorted(self.files) if path.startswith(start)]
        if folder and not below:
            return None
        found: dict[str, dict] = {}
        for path in below:
            parts = path.removeprefix(start).split("/")
            for depth in range(1, len(parts)):
                name = start + "/".join(parts[:depth])
                if recursive or depth == 1:
                    found[name] = {"type": "directory", "path": name, "size": 0, "oid": "0" * 40}
            if recursive or len(parts) == 1:
                found[path] = self.entry(path)
        return list(found.values())


def tag_of(data: bytes) -> str:
    """As git names it."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        path = unquote(address.path)
        query = parse_qs(address.query)
        with self.hub.lock:
            if path in (_API, f"{_API}/revision/main"):
                self._json({"id": REPO, "sha": self.hub.commit, "private": False, "tags": []})
            elif path.startswith(f"{_API}/tree/main"):
                folder = path.removeprefix(f"{_API}/tree/main").strip("/")
                recursive = query.get("recursive", [""])[0].lower() in ("true", "1")
                found = self.hub.entries(folder, recursive=recursive)
                self._missing("EntryNotFound") if found is None else self._json(found)
            elif path.startswith(f"{_FILES}/resolve/"):
                self._content(path.removeprefix(f"{_FILES}/resolve/").split("/", 1)[1])
            else:
                self._missing("RepoNotFound")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        with self.hub.lock:
            if path == f"{_API}/paths-info/main":
                wanted = self._fields(body)
                self._json([self.hub.entry(one) for one in wanted if one in self.hub.files])
            elif path == f"{_API}/preupload/main":
                self._json({"files": [self._mode(one) for one in json.loads(body)["files"]]})
            elif path == f"{_FILES}.git/info/lfs/objects/batch":
                objects = [self._upload(one) for one in json.loads(body)["objects"]]
                self._json({"transfer": "basic", "objects": objects})
            elif path == f"{_API}/commit/main":
                self._commit(body)
            else:
                self._missing("RepoNotFound")

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        wanted = self.path.rpartition("/")[2]
        if hashlib.sha256(body).hexdigest() != wanted:
            self._answer(400, b"another content")
            return
        self.hub.large[wanted] = body
        self._answer(200, b"")

    def _fields(self, body: bytes) -> list[str]:
        if "json" in self.headers.get("Content-Type", ""):
            return list(json.loads(body)["paths"])
        return parse_qs(body.decode())["paths"]

    def _mode(self, file: dict) -> dict:
        mode = "lfs" if file["path"].endswith(".parquet") else "regular"
        return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": None}

    def _upload(self, wanted: dict) -> dict:
        found = {"oid": wanted["oid"], "size": wanted["size"]}
        if wanted["oid"] not in self.hub.large:
            address = f"http://{self.headers['Host']}/lfs/{wanted['oid']}"
            found["actions"] = {"upload": {"href": address}}
        return found

    def _commit(self, body: bytes) -> None:
        files: dict[str, bytes] = {}
        removed: list[str] = []
        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
            elif entry["key"] == "deletedFile":
                removed.append(value["path"])
        for path in removed:
            if path not in self.hub.files:
                self._missing("EntryNotFound")
                return
            del self.hub.files[path]
        self.hub.files.update(files)
        self.hub.commits += 1
        address = f"http://{self.headers['Host']}{_FILES}/commit/{self.hub.commit}"
        self._json({"commitUrl": address, "commitOid": self.hub.commit, "success": True})

    def _content(self, path: str) -> None:
        if path not in self.hub.files:
            self._missing("EntryNotFound")
            return
        data = self.hub.files[path]
        told = {"ETag": f'"{tag_of(data)}"', "X-Repo-Commit": self.hub.commit}
        told["Content-Type"] = "application/octet-stream"
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
        if not found:
            self._answer(200, data, told)
            return
        first, last = int(found[1]), min(int(found[2]), len(data) - 1)
        if first > last:
            self._answer(416, b"", told)
            return
        told["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        self._answer(206, data[first : last + 1], told)

    def _json(self, value: object) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _missing(self, code: str) -> None:
        self._answer(404, b"{}", {"X-Error-Code": code, "Content-Type": "application/json"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
