"""Write the parameters of the Python functions from the classes of their options.

python -m tools.python_api          # rewrites them in src/textbatch

Signatures and `Args:` are written; the rest of a function is left as it is.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textbatch.model.options import EngineOptions
from textbatch.options import Option, Options, options_of
from textbatch.scoring.confidences.options import CalibrateConfig
from textbatch.scoring.config import (
    EvaluateConfig,
    ScoreConfig,
    ScoreTableOptions,
    TableOptions,
)
from textbatch.scoring.diff.options import DiffConfig
from textbatch.scoring.export_options import ExportConfig
from textbatch.scoring.profile.options import ProfileConfig
from textbatch.scoring.releases.options import PromoteConfig, RollbackConfig
from textbatch.scoring.review.options import ReviewConfig
from textbatch.scoring.table_options import ScoreTablesOptions
from textbatch.training.config.audit import AuditConfig
from textbatch.training.config.model_import import ImportSettings
from textbatch.training.config.train import TrainConfig
from textbatch.training.config.tune import TuneConfig
from textbatch.training.config.vectors import VectorsConfig

SOURCES = Path(__file__).parents[1] / "src" / "textbatch"
#: By file and function: its options, and its other parameters, which are written by hand. A number
#: behind `@` means one of several definitions of a name, else it is the last one.
FUNCTIONS: dict[str, dict[str, tuple[type[Options], tuple[str, ...]]]] = {
    "scoring/api.py": {
        "score@0": (ScoreConfig, ("progress",)),
        "score@1": (ScoreTablesOptions, ("inputs",)),
        "score": (ScoreConfig, ("inputs", "output", "progress")),
    },
    "scoring/evaluate_api.py": {
        "evaluate": (EvaluateConfig, ("progress",)),
    },
    "scoring/model_api.py": {
        "export": (ExportConfig, ("log",)),
        "promote": (PromoteConfig, ("progress", "log")),
        "rollback": (RollbackConfig, ("log",)),
    },
    "scoring/compare_api.py": {
        "diff": (DiffConfig, ("progress", "log")),
        "review": (ReviewConfig, ("progress",)),
        "profile": (ProfileConfig, ("progress", "log")),
        "calibrate": (CalibrateConfig, ("progress",)),
    },
    "scoring/loading.py": {
        "load": (EngineOptions, ("path",)),
    },
    "scoring/in_memory.py": {
        "Model.score_table": (TableOptions, ("self", "table", "text_column")),
    },
    "scoring/scorer.py": {
        "Scorer.__init__": (ScoreTableOptions, ("self", "model")),
    },
    "integrations/spark.py": {
        "score": (ScoreTableOptions, ("frame", "model", "ship")),
    },
    "integrations/ray.py": {
        "score": (
            ScoreTableOptions,
            ("dataset", "model", "compute", "batch_size", "num_cpus", "num_gpus"),
        ),
    },
    "integrations/dask.py": {
        "score": (ScoreTableOptions, ("frame", "model")),
    },
    "training/api.py": {
        "train": (TrainConfig, ("log",)),
        "train_vectors": (VectorsConfig, ("log",)),
    },
    "training/search_api.py": {
        "tune": (TuneConfig, ("log",)),
        "audit": (AuditConfig, ("log",)),
    },
    "training/from_keras.py": {
        "import_keras": (ImportSettings, ("network", "tokenizer", "labels", "log")),
    },
}
_WIDTH = 100


def sources() -> dict[Path, str]:
    """The files as they should be."""
    found = {}
    for name, functions in FUNCTIONS.items():
        path = SOURCES / name
        text = path.read_text(encoding="utf-8")
        for function, (options, beside) in functions.items():
            text = rewritten(text, function, options, beside)
        found[path] = text
    return found


def rewritten(source: str, name: str, options: type[Options], beside: tuple[str, ...]) -> str:
    """A module with one function's signature and `Args:` made from its options.

    Args:
        source: Of the module.
        name: Of the function; of a method with its class before it.
        options: What it takes.
        beside: Its parameters that are no options, kept as they are.
    """
    node: Any = ast.parse(source)
    for part in name.split("."):
        plain, _, number = part.partition("@")
        found = [one for one in node.body if getattr(one, "name", "") == plain]
        node = found[int(number or -1)]
    head = [f"def {node.name}(", *_parameters(node, options, beside)]
    head.append(f") -> {ast.unparse(node.returns)}:")
    text = "\n".join([*head, _docstring(node, options, beside)])
    if ast.get_docstring(node) is None:  # one of several signatures
        text = "\n".join(head) + " ..."
    lines = source.splitlines()
    lines[node.lineno - 1 : node.body[0].end_lineno] = [
        line and " " * node.col_offset + line for line in text.splitlines()
    ]
    return "\n".join(lines) + "\n"


def _parameters(
    node: ast.FunctionDef, options: type[Options], beside: tuple[str, ...]
) -> Iterator[str]:
    kept = node.args
    defaults = [None] * (len(kept.args) - len(kept.defaults)) + kept.defaults
    for argument, default in zip(kept.args, defaults, strict=True):
        if argument.arg in beside:
            yield f"    {_stated(argument, default)},"
    known = [one for one in options_of(options) if one.name not in beside]
    yield from (f"    {one.name}: {python_type(one)}," for one in known if one.argument)
    yield "    *,"
    for one in known:
        if not one.argument:
            yield f"    {one.name}: {python_type(one)} = {_default(one)},"
    for argument, default in zip(kept.kwonlyargs, kept.kw_defaults, strict=True):
        if argument.arg in beside:
            yield f"    {_stated(argument, default)},"


def _stated(argument: ast.arg, default: ast.expr | None) -> str:
    told = ast.unparse(argument)
    if default is None:
        return told
    value = getattr(default, "value", None)
    return f'{told} = "{value}"' if isinstance(value, str) else f"{told} = {ast.unparse(default)}"


def python_type(option: Option) -> str:
    """The type of a function's parameter: a text will do for a path, a list for a tuple."""
    told = re.sub(
        r"tuple\[(Path|Location), \.\.\.\]", "PathLike | Sequence[PathLike]", option.annotation
    )
    told = re.sub(r"\bNamedModels\b", "Mapping[str, PathLike]", told)
    told = re.sub(r"tuple\[(\w+), \.\.\.\]", r"Sequence[\1]", told)
    return re.sub(r"\b(Path|Location)\b", "PathLike", told)


def _default(option: Option) -> str:
    value: Any = option.default
    if isinstance(value, str | Path):
        return f'"{value}"'
    return f"{value:_}" if type(value) is int and value >= 10_000 else repr(value)


def _docstring(node: ast.FunctionDef, options: type[Options], beside: tuple[str, ...]) -> str:
    old = ast.get_docstring(node) or ""
    before, _, rest = old.partition("\nArgs:\n")
    told, _, after = rest.partition("\n\n")
    by_hand = dict(re.findall(r"^    (\w+): (.*(?:\n     .*)*)", told, re.MULTILINE))
    entries = [(name, by_hand[name]) for name in beside if name in by_hand]
    known = [(one.name, _explained(one)) for one in options_of(options) if one.name not in beside]
    first = [entry for entry in entries if entry[0] in {one.arg for one in node.args.args}]
    last = [entry for entry in entries if entry not in first]
    lines = [_entry(*entry, node.col_offset) for entry in (*first, *known, *last)]
    parts = [before.strip(), "Args:\n" + "\n".join(lines)]
    whole = "\n\n".join([*parts, *filter(None, [after.strip()])])
    return textwrap.indent(f'"""{whole}\n"""', "    ")


def _entry(name: str, told: str, indent: int) -> str:
    words = re.sub(r"\s+", " ", told)
    return textwrap.fill(
        f"{name}: {words}",
        _WIDTH - 4 - indent,
        initial_indent="    ",
        subsequent_indent="        ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def _explained(option: Option) -> str:
    return f"{option.help} None means {option.unset}." if option.unset else option.help


def main() -> None:
    """Write them."""
    for path, text in sources().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
