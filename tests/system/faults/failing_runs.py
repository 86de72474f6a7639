"""Runs `textbatch` again and again, each time with one failing call, with failing_calls.c loaded.

One JSON record a line comes in, and one goes out. Each run is a fork of this process, which has
imported all that is large: a start would take ten times as long.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import tempfile

import pyarrow.dataset
import pyarrow.parquet  # noqa: F401

import textbatch.model.engines.onnx
import textbatch.scoring.folder.job
import textbatch.scoring.score  # noqa: F401
from textbatch.cli import app

CALLS = ctypes.CDLL(None)


def run(wanted: dict) -> dict:
    with tempfile.TemporaryFile() as told:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.dup2(told.fileno(), 1)
            os.dup2(told.fileno(), 2)
            sys.argv = ["textbatch", *wanted["arguments"]]
            CALLS.failing_arm(wanted["folder"].encode(), wanted["call"], wanted["error"])
            code = app._run()
            sys.stdout.flush()
            sys.stderr.flush()
            os.write(writing, json.dumps([code, CALLS.failing_seen()]).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            answer = pipe.read()
        _, status = os.waitpid(child, 0)
        code, seen = json.loads(answer) if answer else (f"died of {status}", 0)
        told.seek(0)
        return {"code": code, "seen": seen, "told": told.read().decode()}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
