"""Azurite, the emulator of Azure's object store; `make test-azure` installs it with npm."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

ROOT = Path(__file__).parents[2]
PROGRAM = Path(os.environ.get("AZURITE", ROOT / ".venv-azurite/node_modules/.bin/azurite-blob"))
#: The key of the emulator's account, which everybody knows.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def is_there() -> bool:
    """Whether this machine has it."""
    return PROGRAM.exists() and shutil.which("node") is not None


def connection_to(port: int) -> str:
    """The value of `AZURE_STORAGE_CONNECTION_STRING`."""
    address = f"http://127.0.0.1:{port}/devstoreaccount1"
    account = f"AccountName=devstoreaccount1;AccountKey={KEY};BlobEndpoint={address};"
    return f"DefaultEndpointsProtocol=http;{account}"


@contextmanager
def azurite(folder: Path) -> Iterator[int]:
    """Start it.

    Args:
        folder: Where it keeps objects.

    Yields:
        Its port.
    """
    command = [PROGRAM, "--blobPort", "0", "--location", folder, "--skipApiVersionCheck"]
    command += ["--disableTelemetry"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        lines = _lines_of(server)
        listens = r"successfully listens on http://[\d.]+:(\d+)"
        found = next(filter(None, (re.search(listens, line) for line in lines)), None)
        assert found
        yield int(found[1])
    finally:
        server.terminate()
        server.communicate()


def _lines_of(process: subprocess.Popen[str]) -> Iterator[str]:
    """The lines that a process prints, for a minute at most."""
    lines: Queue[str] = Queue()
    assert process.stdout
    stdout = process.stdout
    reader = threading.Thread(target=lambda: [*map(lines.put, iter(stdout.readline, ""))])
    reader.daemon = True
    reader.start()
    while True:
        try:
            yield lines.get(timeout=60)
        except Empty:
            return
