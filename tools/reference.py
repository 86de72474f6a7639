"""Write the reference pages from the command line's and the run report's own definitions.

python -m tools.reference          # writes docs/reference/
"""

from __future__ import annotations

import collections.abc
import inspect
import json
import math
import re
import typing
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from typer.core import TyperGroup, TyperOption
from typer.main import get_command

import textbatch
from textbatch.cli.app import app
from textbatch.cli.command import Command, flags_of
from textbatch.cli.help import default_of
from textbatch.cli.settings.resolve import Settings
from textbatch.model.choices import MAX_LAYERS
from textbatch.options import Option, options_of
from textbatch.report.audit import AuditReport
from textbatch.report.calibrating import CalibrateReport
from textbatch.report.diffing import DiffReport
from textbatch.report.evaluation import Evaluation
from textbatch.report.exporting import ExportReport
from textbatch.report.files import SCHEMA_VERSION
from textbatch.report.importing import ImportReport
from textbatch.report.profiling import ProfileReport
from textbatch.report.promotion import PromoteReport, RollbackReport
from textbatch.report.reviewing import ReviewReport
from textbatch.report.scoring import RunReport
from textbatch.report.training import TrainReport
from textbatch.report.tuning import TuneReport
from textbatch.report.vectors import VectorsReport
from textbatch.training.recipes.file import allowed
from textbatch.training.recipes.presets import RECIPES

FOLDER = Path(__file__).parents[1] / "docs" / "reference"

#: Fields that a record has even where the run failed before it began.
ALWAYS = ("schema_version", "state", "input", "output", "model", "exit_code")

#: The other records by command, and the field that a record has even where the run failed early.
REPORTS: dict[str, tuple[type, str]] = {
    "train": (TrainReport, "model"),
    "evaluate": (Evaluation, "model"),
    "tune": (TuneReport, "study"),
    "audit": (AuditReport, "output"),
    "vectors": (VectorsReport, "output"),
    "import": (ImportReport, "model"),
    "export": (ExportReport, "output"),
    "promote": (PromoteReport, "model"),
    "rollback": (RollbackReport, "releases"),
    "diff": (DiffReport, "old"),
    "review": (ReviewReport, "output"),
    "profile": (ProfileReport, "inputs"),
    "calibrate": (CalibrateReport, "scores"),
}
#: This command's record is printed by `--json` alone.
_UNWRITTEN = "vectors"
_STATE = "`done` or `failed`."


def pages() -> dict[str, str]:
    """The reference, by file name."""
    schema = report_schema()
    return {
        "commands.md": commands_page(),
        "python.md": python_page(),
        "run-report.md": report_page(schema),
        "run-report.schema.json": _json(schema),
        "reports.md": reports_page(),
        "settings.md": settings_page(),
        **{f"{name}-report.schema.json": _json(record_schema(name)) for name in REPORTS},
    }


def settings_page() -> str:
    """All keys of `train --settings`, with what each preset has."""
    names = ", ".join(f"`{name}`" for name in RECIPES)
    head = (
        "# The settings of a recipe\n\n"
        "These are the keys of the file that `train --settings FILE` reads and `tune` writes "
        "([Settings files](../tuning.md#settings-files)). What the file leaves out is as in the "
        f"preset, which `--preset` names: {names}. (What is set for commands, such as "
        "`text-column`, stands in another file; see [Configuration](../configuration.md).)\n"
    )
    parts = [head]
    tables: list[tuple[str, list[object]]] = [("", [*RECIPES.values()])]
    for name in ("vectors", "dropout", "fit"):
        tables.append((f"[{name}]", [getattr(recipe, name) for recipe in RECIPES.values()]))
    tables.append(("[[layers]]", [recipe.layers for recipe in RECIPES.values()]))
    for title, of_presets in tables:
        parts.append(f"## {f'`{title}`' if title else 'At the top'}\n")
        if title == "[[layers]]":
            parts.append(
                "One table for each recurrent layer, the first one first; at most "
                f"{MAX_LAYERS}. Where the file has any, it has all.\n"
            )
        parts.append(_settings_table(of_presets))
    return "\n".join(parts)


def _settings_table(of_presets: list[Any]) -> str:
    first = of_presets[0]
    of = type(first[0] if isinstance(first, tuple) else first)
    hints, told = typing.get_type_hints(of), descriptions(of)
    heads = "".join(f" {name} |" for name in RECIPES)
    rows = f"| key | meaning | may be |{heads}\n|---|---|---|{'---|' * len(RECIPES)}\n"
    for one in fields(of):
        hint = hints[one.name]
        if is_dataclass(hint) or typing.get_origin(hint) is tuple:
            continue
        values = "".join(f" {_preset(one.name, values)} |" for values in of_presets)
        meaning = _cell(told[one.name].replace("null", "nothing"))
        rows += f"| `{one.name}` | {meaning} | {_allowed(one.name, hint)} |{values}\n"
    return rows


def _preset(name: str, of_preset: Any) -> str:
    several = of_preset if isinstance(of_preset, tuple) else (of_preset,)
    values = [getattr(one, name) for one in several]
    return ", ".join("–" if value is None else f"`{json.dumps(value)}`" for value in values)


def _allowed(name: str, hint: Any) -> str:
    if hint is bool:
        return "`true`, `false`"
    found = allowed(name, hint)
    if isinstance(found[0], str):
        return ", ".join(f"`{one}`" for one in found)
    low, high = found
    whole = int in (hint, *typing.get_args(hint))
    if whole:
        return f"{max(1, math.ceil(low)):,} to {int(high):,}"
    return f"{low:g} to {high:g}"


def _json(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2) + "\n"


def commands_page() -> str:
    """All commands with all their options."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    head = (
        "# Commands\n\n"
        "Every option can also stand in a [settings file](../configuration.md), under its name "
        "without the dashes, or in the variable that the last column names.\n\n"
        "These stand before the command, as in `textbatch --debug score …`:\n\n"
        f"{_table(map(_row_of_all, group.params))}"
    )
    parts = [head]
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            parts += [
                command_text(one, f"{name} {inner}") for inner, one in command.commands.items()
            ]
        else:
            parts.append(command_text(command, name))
    return "\n".join(parts)


def command_text(command: Any, path: str) -> str:
    """One command's part of the page.

    Args:
        command: As `add_command` makes it.
        path: Its name, those of its groups before it.
    """
    assert isinstance(command, Command)
    sentence, example, *rest = (re.sub(r"\s+", " ", part) for part in command.help.split("\n\n"))
    names = " ".join(
        f"{one.name.upper()}{'...' if one.many else ''}" for one in _arguments(command.settings)
    )
    usage = " ".join(filter(None, ["textbatch", path, names, "[OPTIONS]"]))
    code = example.removeprefix("Example: ")
    text = "\n\n".join([sentence, *rest])
    return (
        f"## {path}\n\n{text}\n\n```\n{code}\n```\n\nUsage: `{usage}`\n\n"
        f"{_argument_table(command.settings)}"
        f"{_table(_row(command.settings, one) for one in command.settings.flags)}"
    )


def _arguments(settings: Settings) -> list[Option]:
    return [one for one in options_of(settings.options) if one.argument]


def _argument_table(settings: Settings) -> str:
    rows = [f"| `{one.name.upper()}` | {_cell(one.help)} |\n" for one in _arguments(settings)]
    return "| argument | meaning |\n|---|---|\n" + "".join(rows) + "\n" if rows else ""


def _table(rows: collections.abc.Iterable[str]) -> str:
    return "| option | meaning | default | variable |\n|---|---|---|---|\n" + "".join(rows)


def _row_of_all(option: Any) -> str:
    assert isinstance(option, TyperOption)
    own = re.search(r" ?\(default: (.*?)\)", option.help or "")
    told = (option.help or "").replace(own[0], "") if own else option.help or ""
    variable = f"`{option.envvar}`" if option.envvar else ""
    return f"| `{option.opts[0]}` | {_cell(told)} | {own[1] if own else ''} | {variable} |\n"


def _row(settings: Settings, option: Option) -> str:
    names = " ".join(f"`{flag}`" for flag in flags_of(option))
    told = option.help
    if option.many:
        told += " With commas between." if option.commas else " Repeatable."
    if option.choices:
        told += f" One of {', '.join(f'`{choice}`' for choice in option.choices)}."
    if option.low is not None and option.high is not None:
        told += f" From {option.low:,} to {option.high:,}."
    default = default_of(option)
    if default and not option.unset:
        default = f"`{default}`"
    variables = ", ".join(f"`{name}`" for name in settings.variables(option))
    return f"| {names} | {_cell(told)} | {_cell(default)} | {variables} |\n"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def python_page() -> str:
    """All public functions and classes, with all their parameters."""
    head = (
        "# The Python functions\n\n"
        "[Use it from Python](../python.md) has examples. The options are those of the "
        "[commands](commands.md), which tell their ranges.\n"
    )
    parts = [head]
    for name in textbatch.__all__:
        found = getattr(textbatch, name)
        if name == "__version__":
            parts.append("## `__version__`\n\nThe version of textbatch, a text.\n")
            continue
        parts.append(_of_python(f"textbatch.{name}", found))
        if name == "Model":
            methods = [one for one in vars(found) if not one.startswith("_")]
            for one in methods:
                parts.append(_of_python(f"Model.{one}", vars(found)[one]))
    for module in (textbatch.spark, textbatch.ray, textbatch.dask):
        for name in module.__all__:
            parts.append(_of_python(f"{module.__name__}.{name}", getattr(module, name)))
    return "\n".join(parts)


def _of_python(name: str, found: Any) -> str:
    told = inspect.getdoc(found) or ""
    sections = re.split(r"^(Args|Attributes|Returns|Raises):\n", told, flags=re.MULTILINE)
    lead = re.sub(r"(?<!\n)\n(?!\n)", " ", sections[0]).strip()
    text = f"{'###' if name.startswith('Model.') else '##'} `{name}`\n\n{lead}\n"
    if inspect.isfunction(found):
        text += f"\n```python\n{_signature(name, found)}\n```\n"
    for title, body in zip(sections[1::2], sections[2::2], strict=True):
        entries = re.findall(r"^    ([*\w]+): (.*?)(?=^    [*\w]+: |\Z)", body, re.S | re.M)
        if title == "Returns" or not entries:
            text += f"\n{title}: {_cell(body).strip()}\n"
            continue
        named = {"Args": "parameter", "Attributes": "attribute", "Raises": "error"}[title]
        rows = "".join(f"| `{one}` | {_cell(what).strip()} |\n" for one, what in entries)
        text += f"\n| {named} | meaning |\n|---|---|\n{rows}"
    return text


def _signature(name: str, found: Any) -> str:
    """The parameters with their defaults, one on each line."""
    shown, marked = [], False
    for one in inspect.signature(found).parameters.values():
        if one.name == "self":
            continue
        if one.kind is one.KEYWORD_ONLY and not marked:
            shown.append("*")
            marked = True
        default = "" if one.default is one.empty else f" = {one.default!r}"
        shown.append(f"{one.name}: {one.annotation}{default}")
    inside = "".join(f"\n    {one}," for one in shown)
    returns = inspect.signature(found).return_annotation
    return f"{name}({inside}{chr(10) if shown else ''}) -> {returns}"


def report_schema() -> dict[str, Any]:
    """The run report's JSON schema (draft 2020-12)."""
    properties = {"schema_version": _version(), **_properties(RunReport)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "textbatch run report",
        "description": "What `textbatch score --report` writes and `--json` prints.",
        "type": "object",
        "properties": properties,
        "required": list(ALWAYS),
        "if": {"properties": {"state": {"const": "failed"}}},
        "then": {"required": ["error"], "properties": {"error": {"type": "string"}}},
        "else": {"required": list(properties), "properties": {"exit_code": {"const": 0}}},
    }


def record_schema(command: str) -> dict[str, Any]:
    """The JSON schema of another command's record (draft 2020-12)."""
    kind, known = REPORTS[command]
    properties = {"schema_version": _version(), **_properties(kind)}
    written = "" if command == _UNWRITTEN else f"`textbatch {command} --report` writes and "
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"textbatch {command} report",
        "description": f"What {written}`textbatch {command} --json` prints.",
        "type": "object",
    }
    if command == _UNWRITTEN:
        properties["state"] = {"const": "done", "description": "`done`."}
        return {**schema, "properties": properties, "required": list(properties)}
    own = properties.get("state", {})
    if "enum" in own:
        told = f"{own['description'].removesuffix('.')}; `failed` after an error."
        properties["state"] = {"enum": [*own["enum"], "failed"], "description": told}
    else:
        properties["state"] = {"enum": ["done", "failed"], "description": _STATE}
    return {
        **schema,
        "properties": {**properties, **_failure()},
        "required": ["schema_version", "state"],
        "if": {"properties": {"state": {"const": "failed"}}},
        "then": {"required": [known, *_failure()]},
        "else": {"required": list(properties)},
    }


def _version() -> dict[str, Any]:
    told = "Raised when a field changes its meaning or goes away."
    return {"const": SCHEMA_VERSION, "description": told}


def _failure() -> dict[str, Any]:
    return {
        "error": {"type": "string", "description": "The error line of a failed run."},
        "exit_code": {"type": "integer", "description": "Of a failed run's process."},
    }


def _properties(of: type) -> dict[str, Any]:
    hints, told = typing.get_type_hints(of), descriptions(of)
    return {
        field.name: {**_type(hints[field.name]), "description": told[field.name]}
        for field in fields(of)
    }


def descriptions(of: type) -> dict[str, str]:
    """What a class's docstring says of its attributes."""
    assert of.__doc__
    # Python 3.13 takes the indentation off by itself.
    text = inspect.cleandoc(of.__doc__).partition("Attributes:\n")[2].partition("\nRaises:")[0]
    found = re.findall(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", text, re.S | re.M)
    # In JSON, Python's None is null.
    return {
        name: re.sub(r"\bNone\b", "null", re.sub(r"\s+", " ", told)).strip() for name, told in found
    }


def _type(hint: Any) -> dict[str, Any]:
    if typing.get_origin(hint) is typing.Literal:
        return {"enum": list(typing.get_args(hint))}
    plain = {str: "string", int: "integer", float: "number", bool: "boolean"}
    if hint in plain:
        return {"type": plain[hint]}
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        properties = _properties(hint)
        return {"type": "object", "properties": properties, "required": list(properties)}
    if origin in (dict, collections.abc.Mapping):
        return {"type": "object", "additionalProperties": _type(inner[1])}
    if origin in (list, tuple, collections.abc.Sequence):
        return {"type": "array", "items": _type(inner[0])}
    if hint is Any:
        return {}
    options = [one for one in inner if one is not type(None)]
    assert len(options) == 1, f"no JSON type for {hint}"
    return {"anyOf": [_type(options[0]), {"type": "null"}]}


def report_page(schema: dict[str, Any]) -> str:
    """The fields as a table."""
    rows = "".join(
        f"| `{name}` | {_words(entry)} | {_cell(entry['description'])} |\n"
        for name, entry in schema["properties"].items()
    )
    always = ", ".join(f"`{name}`" for name in ALWAYS)
    return (
        "# The run report\n\n"
        "`textbatch score --report FILE` writes this record, on failure too; `--json` prints it "
        "after a good run. [Operations](../operations.md#the-run-report) tells when. Its JSON "
        "schema is [run-report.schema.json](run-report.schema.json).\n\n"
        f"| field | type | meaning |\n|---|---|---|\n{rows}\n"
        f"A run that fails before it begins has only {always} and `error`. New fields may be added "
        "without a new `schema_version`.\n"
    )


def reports_page() -> str:
    """The other commands' records."""
    head = (
        "# The other reports\n\n"
        "`--report FILE` of these commands but `vectors` writes one JSON object, on failure "
        "too; their `--json`, and that of `vectors`, prints it after a good run. `score` "
        "has [the run report](run-report.md). New fields may be added without a new "
        "`schema_version`.\n"
    )
    parts = [head]
    for command, (_, known) in REPORTS.items():
        schema = record_schema(command)
        rows = "".join(_rows("", schema["properties"]))
        failed = (
            ""
            if command == _UNWRITTEN
            else f" Of a failed run it has `schema_version`, `state`, `{known}`, `error` and "
            "`exit_code`."
        )
        parts.append(
            f"## {command}\n\nIts JSON schema is "
            f"[{command}-report.schema.json]({command}-report.schema.json).{failed}\n\n"
            f"| field | type | meaning |\n|---|---|---|\n{rows}"
        )
    return "\n".join(parts)


def _rows(within: str, properties: dict[str, Any]) -> list[str]:
    """A line for each field, and after it for those of its object or of its array's objects."""
    rows: list[str] = []
    for name, entry in properties.items():
        rows.append(f"| `{within}{name}` | {_words(entry)} | {_cell(entry['description'])} |\n")
        held = next(one for one in entry.get("anyOf", [entry]) if one.get("type") != "null")
        inner = held.get("items", held)
        if "properties" in inner:
            dots = "[]." if "items" in held else "."
            rows += _rows(f"{within}{name}{dots}", inner["properties"])
    return rows


def _words(entry: dict[str, Any]) -> str:
    if "anyOf" in entry:
        return " or ".join(_words(one) for one in entry["anyOf"])
    if "enum" in entry:
        return "string"
    if "const" in entry:
        return "string" if isinstance(entry["const"], str) else "integer"
    if "properties" in entry:
        return "object"
    if entry.get("type") == "object":
        held = entry["additionalProperties"]
        return f"object of {_words(held)}s" if held else "object"
    if entry.get("type") == "array":
        first, _, rest = _words(entry["items"]).partition(" ")
        return f"array of {first}s {rest}".rstrip()
    return str(entry.get("type", "any"))


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
