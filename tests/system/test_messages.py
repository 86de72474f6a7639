"""No message names an option that its command does not have: all of them are walked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

import textbatch
from textbatch.cli.app import app
from textbatch.cli.command import settings_in
from textbatch.cli.settings.resolve import with_short_forms

SOURCE = Path(textbatch.__file__).parent
SETTINGS = settings_in(get_command(app))
ALWAYS = {"--help", "--version", "--debug"}
READERS = "score train tune audit evaluate vectors promote diff"
TRAINERS = "train tune audit"
#: Which commands say what is written in a file or folder; the longest name counts. What is not here
#: speaks for every command.
SPEAKS_FOR = {
    **{f"cli/commands/{name}.py": name for name in SETTINGS if name != "import"},
    "cli/commands/model_import.py": "import",  # `import` is a word of Python
    "cli/demo": "demo",
    "cli/doctor": "doctor",
    "cli/commands/demo.py": "demo",
    "cli/score_options.py": "score",
    "cli/score_watched.py": "score",
    "cli/memory.py": "score",
    "data/bad_row_limit.py": READERS,
    "data/readers": READERS,
    "data/readers/labelled.py": "train tune audit evaluate promote diff",
    "data/multi_options.py": "train evaluate",
    "training/config/multi.py": "train",
    "training/split/multi_label.py": "train",
    "training/package/multi_label.py": "train",
    "training/multi_label.py": "train",
    "data/readers/multi_labels.py": "train evaluate",
    "scoring/evaluate_multi.py": "evaluate",
    "data/readers/label_columns.py": "train tune audit evaluate promote diff",
    "data/readers/class_labels.py": "train tune audit evaluate promote diff",
    "data/readers/label_values.py": "audit evaluate",
    # Of a whole table, which only `score` passes on; the others read one or two columns of text.
    "data/readers/broken_texts.py": "score show",
    "data/readers/json_types.py": "score",
    "data/output": "score",
    "data/options.py": "train audit vectors",
    "data/storage/local.py": "score train audit vectors export",
    "data/storage/conditional_upload.py": "score",
    "data/storage/s3_upload.py": "score",
    "data/storage/model_cache.py": "score evaluate predict audit",
    "integrations/airflow.py": "score",
    "integrations/prometheus.py": "score",
    "model/bundle/directory.py": "score train audit",
    "model/bundle/records.py": "score evaluate",
    "model/engines": "score evaluate promote diff",
    "model/named_models.py": "score verify",
    "model/options.py": "score evaluate promote rollback diff",
    "model/vectors/piece_table.py": "train",
    # In writing a bundle and going on from a checkpoint.
    "model/fitting/fit.py": "train",
    "model/quality/thresholds.py": "score",
    "scoring": "score",
    "report/priors.py": "score",
    "scoring/config.py": "score",
    "model/quality/label_sets.py": "score evaluate",
    "scoring/label_sets.py": "score evaluate",
    "report/diffing.py": "diff",
    "report/html/diff_page.py": "diff",
    "scoring/diff": "diff",
    "scoring/review": "review",
    "scoring/profile": "profile",
    "report/profiling.py": "profile",
    "scoring/confidences": "calibrate",
    "scoring/evaluate.py": "evaluate",
    "scoring/export.py": "export",
    "scoring/export_options.py": "export",
    "model/export": "export",
    "model/keras_files": "import",
    "data/storage/new_tree.py": "export",
    "scoring/show.py": "show",
    "scoring/migrate.py": "inspect",
    "scoring/releases": "promote",
    "scoring/releases/rollback.py": "rollback",
    "training": TRAINERS,
    "training/config/train.py": "train",
    "training/config/tune.py": "tune",
    "training/config/audit.py": "audit",
    "training/config/vectors.py": "vectors",
    "training/config/model_import.py": "import",
    "training/imported": "import",
    "training/audit.py": "audit",
    "training/tune.py": "tune",
    "training/vectors.py": "vectors",
    "training/fit": "train",
    "training/package": "train",
    "training/cross_validation.py": "train audit",
    "training/cross_fit": "train",
    "training/fold_processes.py": "train audit",
    "training/train.py": "train",
    "training/teacher.py": "train",
    "training/update.py": "train",
    "training/config/update.py": "train",
    "training/split/dataset.py": "train tune",
    "data/readers/row_weights.py": "train tune audit evaluate",
    "data/readers/soft_labels.py": "train",
    "training/config/soft.py": "train",
    "data/weighted_options.py": "train tune audit evaluate",
}
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+(?=[^\w-]|$)")
#: A message may tell what another command does: "`train` and `score` take --quarantine".
NAMED = re.compile(r"\b(score|train) with(?:out)?\b|`(?:textbatch )?([a-z]+)\b|textbatch ([a-z]+) ")


def flags_of(command: str) -> set[str]:
    if command == "demo":
        return {"--folder", "--overwrite", *ALWAYS}
    flags: set[str] = set(ALWAYS)
    for one in with_short_forms(SETTINGS[command].options):
        flags |= {f"--{one.key}", f"--no-{one.key}", *one.flags}
    return flags


_OPTIONS = ("option", "beside", "Option")


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a file but its docstrings and the helps of options; a blank for each value."""

    def found(node: ast.AST) -> Iterator[tuple[int, str]]:
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _OPTIONS:
            return
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            docstring = body[0] if isinstance(body[0].value, ast.Constant) else None
        else:
            docstring = None
        if isinstance(node, ast.JoinedStr):
            values = (one.value if isinstance(one, ast.Constant) else " " for one in node.values)
            yield node.lineno, "".join(values)
            return
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        for child in ast.iter_child_nodes(node):
            if child is not docstring:
                yield from found(child)

    yield from found(ast.parse(path.read_text()))


def speakers(name: str) -> list[str]:
    """The commands that say what is written in a file."""
    place = max((one for one in SPEAKS_FOR if name == one or name.startswith(f"{one}/")), key=len,
                default="")  # fmt: skip
    return SPEAKS_FOR[place].split() if place else list(SETTINGS)


def lacking(command: str, text: str) -> set[str]:
    """The options in a message that neither its command has nor one that it names."""
    named = {one for match in NAMED.findall(text) for one in match if one in SETTINGS}
    return set(FLAG.findall(text)) - flags_of(command).union(*map(flags_of, named))


#: What is no message: words that code puts together.
_WORDS = {
    *("cli/demo/tables.py", "cli/help.py", "cli/then_train.py", "integrations/airflow.py"),
    "report/next_steps.py",
}


def faults() -> Iterator[str]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        for line, text in messages(path) if name not in _WORDS else ():
            for command in speakers(name):
                if wrong := lacking(command, text):
                    yield f"{name}:{line} tells `{command}` of {', '.join(sorted(wrong))}"


def test_no_message_names_an_option_that_its_command_lacks():
    assert sorted(faults()) == []


def test_every_place_that_the_table_names_is_there():
    assert [place for place in SPEAKS_FOR if not (SOURCE / place).exists()] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("score with --max-bad-rows", set()),
        ("`train` and `score` set them aside with --quarantine", set()),
        ("leave it out with `score --columns`, or a larger --min-count", set()),
        ("leave it out with --columns", {"--columns"}),
        ("score with --no-such-option", {"--no-such-option"}),
    ],
)
def test_a_message_may_be_about_another_command(text, wrong):
    assert lacking("vectors", text) == wrong
