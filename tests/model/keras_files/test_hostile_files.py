"""Files that would run code, or fill the memory: all are refused, and nothing happens."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from support.hostile_keras_files import write_hostile
from support.keras_files import write_h5, write_keras_2
from support.keras_pickles import MODULES, PACKINGS, attributes, dumps, pickled

#: Most memory that reading a file may take, in KiB.
MOST_MEMORY = 1_000_000

READ_ALL = """
import json, resource, sys, time
from pathlib import Path
from textbatch.model.keras_files.labels_file import read_labels
from textbatch.model.keras_files.network_file import read_network_file
from textbatch.model.keras_files.tokenizer_file import read_tokenizer

folder = Path(sys.argv[1])
for path in (folder / "good").iterdir():
    (read_network_file if "model" in path.name else read_tokenizer)(path)
for data in ("a\\nb", '["a", "b"]'):
    (folder / "labels").write_text(data)
    read_labels(folder / "labels")

seen = []
def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if (isinstance(path, int) or str(path).startswith(str(folder))) and not flags & 3:
            return
    elif event.startswith(("builtins.id", "object.", "gc.")):
        return
    seen.append(f"{event} {arguments!r}"[:200])

def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

files = [(read, path) for path in sorted((folder / "pickles").iterdir())
         for read in (read_tokenizer, read_labels)
         if read is read_tokenizer or not path.name.startswith(("digits", "many_", "deep_"))]
files += [(read_network_file, path) for path in sorted((folder / "networks").iterdir())]
before, told = memory(), {}
sys.addaudithook(watch)
for read, path in files:
    started = time.process_time()
    try:
        read(path)
        answer = "read"
    except BaseException as error:
        answer = f"{type(error).__name__} {getattr(error, 'exit_code', '')} {error}"[:300]
    seconds = time.process_time() - started
    told[f"{read.__name__} {path.name}"] = [answer, seen[:], memory() - before, seconds]
    seen.clear()
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, list[str], int, float]]:
    folder = tmp_path_factory.mktemp("hostile")
    write_hostile(folder)
    good = folder / "good"
    good.mkdir()
    write_h5(good / "model.h5")
    write_keras_2(good / "model.keras")
    for packing in PACKINGS:
        for protocol in (0, 4):
            data = pickled(MODULES[0], dumps(packing, protocol), attributes())
            (good / f"{packing}_{protocol}").write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, folder], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_each_is_refused(told: dict[str, tuple[str, list[str], int, float]]):
    assert len(told) > 150
    others = {name: one[0] for name, one in told.items() if not one[0].startswith("BundleError 66")}

    assert not others


def test_nothing_is_imported_run_opened_or_sent(
    told: dict[str, tuple[str, list[str], int, float]],
):
    assert not {name: one[1] for name, one in told.items() if one[1]}


def test_memory_and_time_are_bounded(told: dict[str, tuple[str, list[str], int, float]]):
    grown = max(told.items(), key=lambda one: one[1][2])
    longest = max(told.items(), key=lambda one: one[1][3])

    assert grown[1][2] < MOST_MEMORY, grown
    assert longest[1][3] < 20, longest
