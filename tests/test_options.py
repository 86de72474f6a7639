"""Options that are stated once."""

from __future__ import annotations

import pickle
from contextlib import suppress
from pathlib import Path
from typing import Literal, get_type_hints

import pytest
from pydantic import TypeAdapter
from typer.main import get_command

from textbatch.cli.app import app
from textbatch.cli.command import settings_in
from textbatch.errors import ConflictError, UsageError
from textbatch.options import Options, beside, option, options, options_of
from textbatch.options.credentials import has_credentials, refuse_credentials
from textbatch.scoring.config import ScoreConfig

Shade = Literal["grey", "green"]


@options
class Shared(Options):
    size: int = option("How large.", default=3, low=1, high=9)


@options
class Own(Shared):
    paths: tuple[Path, ...] = option("What is read.", argument=True, decides=False, use="read")
    shade: Shade = option("Of what colour.", default="grey")
    parts: tuple[int, ...] | None = option("Each one.", default=None, low=0, high=5)
    share: float | None = option("Of all.", default=None, decides=False)
    made_up: str = "nothing"
    folder: bool = beside(default=False)


def test_an_option_is_what_its_field_says():
    found = {one.name: one for one in options_of(Own)}
    assert list(found) == ["paths", "shade", "parts", "share", "size"]
    kinds = {name: (one.kind, one.many, one.choices) for name, one in found.items()}
    assert kinds == {
        "paths": ("path", True, ()),
        "shade": ("text", False, ("grey", "green")),
        "parts": ("whole", True, ()),
        "share": ("number", False, ()),
        "size": ("whole", False, ()),
    }
    assert found["paths"].default is ...
    assert found["parts"].annotation == "tuple[int, ...] | None"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"size": 0}, "--size is 0, outside 1 to 9"),
        ({"size": 10}, "--size is 10, outside 1 to 9"),
        ({"parts": (1, 6)}, "--parts is 6, outside 0 to 5"),
        ({"shade": "red"}, "--shade is 'red'; take one of grey, green"),
    ],
)
def test_what_is_out_of_range_is_refused_by_its_flag(settings, told):
    with pytest.raises(UsageError, match=told):
        Own(paths=(), **settings)


def test_what_a_caller_gives_becomes_what_the_field_holds():
    given = Own.given({"paths": "a", "parts": [1, 2], "share": None, "stranger": 1})
    assert (given.paths, given.parts) == ((Path("a"),), (1, 2))
    assert Own.given({"paths": ["a", Path("b")]}).paths == (Path("a"), Path("b"))


def test_every_field_decides_that_does_not_say_otherwise(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plain = Own(paths=(Path("a"),))
    assert plain.decisive() == {}
    odd = Own(paths=(Path("b"),), shade="green", size=4, share=0.5, made_up="x", folder=True)
    assert odd.decisive() == {"shade": "green", "size": 4, "made_up": "x"}


def test_options_in_common_are_those_of_the_same_class():
    @options
    class Other(Shared):
        shade: int = option("Another thing of that name.", default=1)

    assert Own(paths=(), size=4, shade="green").in_common(Other) == {"size": 4}


def test_a_config_can_be_pickled():
    config = ScoreConfig(inputs=(Path("a.csv"),), output=Path("b"), min_confidence=0.5)
    assert pickle.loads(pickle.dumps(config)) == config


COMMANDS = {name: one.options for name, one in settings_in(get_command(app)).items()}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_default_is_a_value_of_its_option(name):
    hints = get_type_hints(COMMANDS[name])
    for one in options_of(COMMANDS[name]):
        if one.default is ...:
            continue
        made = one.made(one.default)
        assert made == one.default, one.name
        adapter = TypeAdapter(hints[one.name], config={"arbitrary_types_allowed": True})
        assert adapter.validate_python(made, strict=True) == made, one.name
        assert one.help.endswith("."), one.name
        if one.low is not None:
            assert made is None or one.low <= made <= one.high, one.name


@pytest.mark.parametrize(
    "piece", ["x", "x1", "/", " ", "?", "? ", "#a", "x:", "ab:/", "ab://", "@", ":", "key", "&key"]
)
def test_a_long_text_is_looked_through_for_credentials_in_linear_time(piece):
    many = piece * ((128 << 10) // len(piece))
    for begin in ("", "?", "s3://", "%25"):
        # In quadratic time each of these takes minutes.
        with suppress(ConflictError):
            refuse_credentials(begin + many)
    assert has_credentials(f"{many} s3://b/x?X-Amz-Signature=1")
