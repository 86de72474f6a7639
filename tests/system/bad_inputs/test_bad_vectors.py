"""Cases 67 to 70: files of word vectors; tests/model/test_vectors_file.py has more of them."""

from __future__ import annotations

import pickle
import re

import pytest

CANARY = "kanarienvogel"

REFUSED = {
    "67 fewer rows than told": (f"2000000 3\n{CANARY} 1 2 3\n".encode(), "rows"),
    "67 ragged": (f"2 3\nrefund 1 2 3\n{CANARY} 1 2\n".encode(), "line 3"),
    "67 no number": (f"1 3\nrefund 1 {CANARY} 3\n".encode(), "line 2"),
    "67 NaN": (
        f"2 3\n{CANARY} 1 2 3\nlogin nan 2 3\n".encode(),
        "line 3|not finite|something else",
    ),
    "67 words with spaces alone": (f"1 3\nre {CANARY} 1 2 3\n".encode(), "1 of 1 rows"),
    "67 no dimensions": (f"1 0\n{CANARY}\n".encode(), "dimensions"),
    "67 a thousand million dimensions": (f"1 1000000000\n{CANARY} 1 2\n".encode(), "dimensions"),
    "68 pickle": (pickle.dumps({CANARY: [1.0]}, protocol=4), "pickle .* never loaded; export"),
    "69 binary that lies": (b"1000000000000 300\n" + bytes(2000), "more than the file can hold"),
    "69 empty": (b"", "is empty"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_vectors_that_are_refused(name, cli):
    content, message = REFUSED[name]
    vectors = cli.folder / "words.vec"
    vectors.write_bytes(content)
    labelled = cli.folder / "in.csv"
    rows = [f"refund card {i % 7} {CANARY},a\nlogin password {i % 7},b" for i in range(12)]
    labelled.write_text("\n".join(["text,label", *rows]))
    line = ("train", labelled, "--model", cli.folder / "new", "--vectors", vectors)
    assert cli(*line) == 65
    assert cli.error.splitlines()[-1].startswith("textbatch: error[Data]: ")
    assert re.search(message, cli.error), cli.error
    assert not (cli.folder / "new").exists()
    cli.explains(*line)
