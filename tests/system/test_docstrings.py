"""Docstrings say what a caller needs: every parameter, shapes of arrays, the files of a package."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "textbatch"
FILES = sorted(SOURCE.rglob("*.py"))
PACKAGES = sorted({path.parent for path in FILES if path.name == "__init__.py"} - {SOURCE})
#: Types whose length a reader has to know.
ARRAYS = ("Int32Array", "Int64Array", "Float32Array", "BoolArray", "NDArray", "pa.Array")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(path: Path) -> Iterator[tuple[str, Function]]:
    """The public functions of a file, and the public methods of its public classes."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, Function) and not node.name.startswith("_") and not is_overload(node):
            yield node.name, node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for method in node.body:
                if isinstance(method, Function) and not method.name.startswith("_"):
                    yield f"{node.name}.{method.name}", method


def is_overload(function: Function) -> bool:
    """Whether it is one of several signatures: the last one explains them all."""
    return any(ast.unparse(one) == "overload" for one in function.decorator_list)


def parameters_of(function: Function) -> list[ast.arg]:
    found = function.args
    named = [*found.posonlyargs, *found.args, found.vararg, *found.kwonlyargs, found.kwarg]
    return [one for one in named if one and one.arg not in ("self", "cls")]


def described(docstring: str, section: str = "Args") -> dict[str, str]:
    """The entries of a section of a docstring: text by name."""
    body = re.search(rf"^{section}:\n(.*?)(?:\n\n|\Z)", docstring, re.DOTALL | re.MULTILINE)
    if not body:
        return {}
    entries = re.split(r"^ {4}\*{0,2}(\w+): ", body[1], flags=re.MULTILINE)
    return dict(zip(entries[1::2], entries[2::2], strict=True))


def methods_of_protocols() -> set[str]:
    """Methods that a protocol or an abstract class explains, so that others need not."""
    return {
        method.name
        for path in FILES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
        and any(
            isinstance(base, ast.Name) and base.id in ("ABC", "Protocol") for base in node.bases
        )
        for method in node.body
        if isinstance(method, Function) and described(ast.get_docstring(method) or "")
    }


EXPLAINED = methods_of_protocols()
FUNCTIONS = [
    pytest.param(name, function, id=f"{path.relative_to(SOURCE)}:{name}")
    for path in FILES
    for name, function in functions_of(path)
]


@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_every_parameter_is_described(name, function):
    docstring = ast.get_docstring(function)
    assert docstring
    parameters = [parameter.arg for parameter in parameters_of(function)]
    told = described(docstring)
    assert set(told) <= set(parameters)
    if name.split(".")[-1] in EXPLAINED and not told:
        return
    if len(parameters) >= 2:
        assert list(told) == parameters


@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_the_shape_of_an_array_is_told(name, function):
    """Of each parameter that is one; of what is returned, somewhere in the docstring."""
    docstring = ast.get_docstring(function) or ""
    told = described(docstring)
    for parameter in parameters_of(function):
        kind = ast.unparse(parameter.annotation) if parameter.annotation else ""
        if kind.removesuffix(" | None") in ARRAYS and parameter.arg in told:
            assert re.search(r"[Ss]hape", told[parameter.arg]), parameter.arg
    if function.returns and ast.unparse(function.returns).removesuffix(" | None") in ARRAYS:
        assert re.search(r"[Ss]hape", docstring)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_the_docstring_of_a_package_lists_its_files(package):
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    listed = [
        name for line in re.findall(r"^\* (.*?):", docstring, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", line)
    ]  # fmt: skip
    there = {path.stem for path in package.glob("*.py")} | {
        path.parent.name for path in package.glob("*/__init__.py")
    }
    assert sorted(listed) == sorted(there - {"__init__"})
