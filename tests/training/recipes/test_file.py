from __future__ import annotations

import json
from dataclasses import is_dataclass
from typing import get_args, get_origin, get_type_hints

import pytest

from textbatch.errors import InputNotFoundError, UsageError
from textbatch.training.recipes.file import (
    allowed,
    changed,
    dump_recipe,
    read_recipe,
    recipe_values,
)
from textbatch.training.recipes.presets import RECIPES
from textbatch.training.recipes.search_space import SPACE, settings_of, space_of, with_settings


@pytest.mark.parametrize("preset", sorted(RECIPES))
def test_a_written_recipe_reads_back_as_it_was(tmp_path, preset):
    recipe = RECIPES[preset]
    (tmp_path / "s.toml").write_text(dump_recipe(recipe_values(recipe)))
    (tmp_path / "s.json").write_text(json.dumps(recipe_values(recipe)))
    assert read_recipe(tmp_path / "s.toml", recipe) == recipe
    assert read_recipe(tmp_path / "s.json", recipe) == recipe


def test_what_a_file_leaves_out_stays(tmp_path):
    (tmp_path / "s.toml").write_text("dense_units = 7\n[fit]\nlearning_rate = 1\n")
    recipe = read_recipe(tmp_path / "s.toml", RECIPES["default"])
    assert (recipe.dense_units, recipe.fit.learning_rate) == (7, 1.0)
    assert recipe.fit.batch_size == RECIPES["default"].fit.batch_size
    assert recipe.dropout == RECIPES["default"].dropout


@pytest.mark.parametrize(
    ("name", "text"), [("s.toml", "dense_units = 7"), ("s.json", '{"dense_units": 7}')]
)
def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path, name, text):
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_recipe(tmp_path / name, RECIPES["default"]).dense_units == 7


def test_layers_are_replaced_and_take_what_they_leave_out_from_the_layers_before(tmp_path):
    (tmp_path / "s.toml").write_text("[[layers]]\nunits = 7\n" + 2 * "[[layers]]\n")
    recipe = read_recipe(tmp_path / "s.toml", RECIPES["default"])
    assert [(layer.cell, layer.units) for layer in recipe.layers] == [
        ("gru", 7), ("lstm", 200), ("lstm", 200),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gru = 7", "no setting 'gru'; known are"),
        ("[fit]\nspeed = 7", r"fit\.there is no setting 'speed'"),
        ("dense_units = 7.5", "'dense_units' is not of type int"),
        ("dense_units = true", "'dense_units' is not of type int"),
        ("train_embedding = 1", "'train_embedding' is not of type bool"),
        ("pooling = 'sum'", "'pooling' is none of last, mean"),
        ("[fit]\naveraging = 1", "'averaging' is 1.0, outside"),
        ("layers = 3", "layers is no list of tables"),
        ("layers = []", "layers has 0 entries"),
        ("[[layers]]\ncell = 'rnn'", r"layers\[0\]\.'cell' is none of gru, lstm"),
        ("[[layers]]\nunits = 0", r"layers\[0\]\.'units' is 0, outside"),
        ("fit = 3", "'fit' is not of type FitSettings"),
        ("[dropout]\nbetween = 1.5", "'between' is 1.5, outside 0.0 to 0.95"),
        ("[fit]\nlearning_rate = nan", "'learning_rate' is nan, outside"),
        ("dense_units = 0", "'dense_units' is 0, outside"),
        ("dense_units = ", "is not TOML"),
        (f"dense_units = {'9' * 400}", "more than 64 bits"),
        (f"[fit]\naveraging = 0x{'f' * 5000}", "more than 64 bits"),
        (f"x = {'[' * 10_000}", "nested too deeply"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, text, message):
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_recipe(tmp_path / "s.toml", RECIPES["default"])


def test_files_that_are_missing_or_no_table_are_refused(tmp_path):
    with pytest.raises(InputNotFoundError):
        read_recipe(tmp_path / "s.toml", RECIPES["default"])
    (tmp_path / "s.json").write_text("[1]")
    with pytest.raises(UsageError, match="no table"):
        read_recipe(tmp_path / "s.json", RECIPES["default"])


def test_the_default_recipe_lies_in_the_space_and_every_setting_has_an_effect():
    recipe = RECIPES["default"]
    start = settings_of(recipe)
    assert start.keys() == space_of(recipe).keys() > SPACE.keys()
    assert with_settings(recipe, start) == recipe
    for name, value in start.items():
        assert with_settings(recipe, {name: type(value)(value / 2 or 1)}) != recipe or value == 1


def settings() -> list[tuple[str, str, object]]:
    """Table, name and type of every setting that is no table."""
    recipe = RECIPES["default"]
    found = []
    for table in ("", "vectors", "dropout", "fit"):
        of = type(getattr(recipe, table) if table else recipe)
        for name, kind in get_type_hints(of).items():
            if get_origin(kind) is not tuple and not is_dataclass(kind):
                found.append((table, name, kind))
    return found


@pytest.mark.parametrize(("table", "name", "kind"), settings(), ids=lambda one: str(one)[:30])
def test_every_setting_takes_what_its_reference_says_and_nothing_else(table, name, kind):
    def set_to(value):
        given = {table: {name: value}} if table else {name: value}
        return changed(RECIPES["default"], given)

    if kind is bool:
        good, bad = [True, False], ["yes", 1]
    elif isinstance((may_be := allowed(name, kind))[0], str):
        good, bad = may_be, ["no such", 3]
    else:
        low, high = may_be
        whole = int in (kind, *get_args(kind))
        good = [max(1, int(low)), int(high)] if whole else [low, high]
        bad = [0 if whole else low - 0.1, high + 1, "3", True]
    for value in good:
        set_to(value)
    for value in bad:
        with pytest.raises(UsageError):
            set_to(value)
