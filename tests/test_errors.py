from __future__ import annotations

import ast
import errno
import os
import re
from pathlib import Path

import pytest

from textbatch import errors
from textbatch.errors import (
    AccessError,
    DataError,
    InputNotFoundError,
    OutOfMemoryError,
    OutputError,
    StorageError,
    TerminatedError,
    TextbatchError,
    bounded,
    exit_code_of,
    printable,
    storage_errors,
)

CLASSES = [TextbatchError, *TextbatchError.__subclasses__()]


def test_every_error_says_what_to_do():
    names = {error.__name__ for error in CLASSES}
    for path in Path(errors.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                told = len(node.args) > 1 or any(isinstance(a, ast.Starred) for a in node.args)
                assert told or node.func.id not in names, f"{path}:{node.lineno}"


def test_the_tree_drawn_at_the_top_of_the_module_is_the_tree():
    drawn = dict(re.findall(r"(\w+Error) +(\d+) ", errors.__doc__))
    assert {name: int(code) for name, code in drawn.items()} == {
        kind.__name__: kind.exit_code for kind in CLASSES
    }


def test_exit_codes_differ_and_avoid_those_with_other_meanings():
    codes = [kind.exit_code for kind in CLASSES]
    assert len(set(codes)) == len(codes)
    assert 99 not in codes  # Airflow: skipped
    assert all(code < 126 for code in codes)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataError("x"), 65),
        (StorageError("x"), 74),
        (KeyboardInterrupt(), 130),
        (TerminatedError(), 143),
        (ValueError("x"), 1),
    ],
)
def test_exit_code_of_an_error(error, code):
    assert exit_code_of(error) == code


def test_a_message_says_what_and_what_to_do():
    assert str(DataError("in.csv is empty", "write it again")) == "in.csv is empty; write it again"
    assert str(DataError("in.csv is empty")) == "in.csv is empty"
    assert InputNotFoundError("x").title == "InputNotFound"


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOENT, InputNotFoundError),
        (errno.ENOTDIR, InputNotFoundError),
        (errno.EACCES, AccessError),
        (errno.EPERM, AccessError),
        (errno.EROFS, AccessError),
        (errno.ENOMEM, OutOfMemoryError),
        (errno.ENOSPC, StorageError),
        (errno.EIO, StorageError),
        (errno.EDQUOT, StorageError),
        (None, StorageError),
    ],
)
def test_operating_system_errors_get_their_class(number, kind):
    with pytest.raises(kind) as caught, storage_errors(Path("in.csv"), "cannot read"):
        raise OSError(number, "words of a library that may quote a cell")
    assert type(caught.value) is kind
    words = os.strerror(number) if number else "input/output error"
    assert caught.value.what == f"cannot read in.csv: {words}"
    assert caught.value.remedy


def test_a_missing_output_directory_is_no_missing_input():
    with (
        pytest.raises(OutputError),
        storage_errors(Path("out.csv"), "cannot write", missing=OutputError),
    ):
        raise FileNotFoundError(errno.ENOENT, "gone")


def test_errors_of_our_own_pass_through():
    with pytest.raises(DataError, match="damaged"), storage_errors(Path("in"), "cannot read"):
        raise DataError("damaged")


def test_control_characters_are_escaped_and_letters_are_not():
    assert printable("é 文 a\nb\x1b[31m\udcff") == "é 文 a\\nb\\x1b[31m\\udcff"


def test_what_is_not_seen_or_turns_a_line_around_is_escaped():
    hidden = "\r\x85\x9b\u2028\u2029\u202e\u2066\u200b\ufeff\x7f\xa0"
    told = str(DataError(f"column '{hidden}' is bad", f"give {hidden}"))
    assert told.isprintable()
    assert not set(hidden) & set(told)


def test_a_message_has_a_bounded_length_and_keeps_its_remedy():
    told = str(DataError("column '" + "x" * 100_000 + "' is bad", "name another one"))
    assert len(told) < 2100
    assert told.startswith("column 'xxx")
    assert told.endswith("is bad; name another one")
    assert bounded("short") == "short"
