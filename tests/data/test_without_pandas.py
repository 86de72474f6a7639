from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
import pyarrow as pa
from textbatch.data.without_pandas import keep_pandas_out

if "before" in sys.argv:
    import pandas
keep_pandas_out()
print(pa.array(["a", None]).to_pylist(), "pandas" in sys.modules)
import pandas
print(pandas.DataFrame({"a": [1]}).shape)
"""


def told(*arguments: str) -> list[str]:
    command = [sys.executable, "-c", CODE, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_arrow_converts_without_pandas_and_others_can_still_import_it():
    assert told() == ["['a', None] False", "(1, 1)"]


def test_who_has_pandas_keeps_it():
    assert told("before") == ["['a', None] True", "(1, 1)"]
