"""What the documentation says can be run, exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command

from textbatch.cli.app import app
from textbatch.data.output.columns import OutputColumns
from textbatch.types import Status

ROOT = Path(__file__).parents[2]
TOP = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
PAGES = [*TOP, *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
COMMANDS = get_command(app).commands


def commands_in(page: Path) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    blocks = [text for language, text in fenced if language in ("", "console", "sh", "bash")]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    inline = re.findall(r"`(textbatch [a-z][^`]*)`", page.read_text())
    return [*(line.removeprefix("$ ") for line in lines), *inline]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_flags_exist(page):
    for line in commands_in(page):
        words = shlex.split(line, comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            del words[0]
        if words[:1] == ["make"]:
            assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), line
        if words[:1] != ["textbatch"] or words[1].startswith("-") or words[1].isupper():
            continue
        flags = {word.split("=")[0] for word in words[2:] if re.match("--[a-z]", word)}
        command = COMMANDS[words[1]]
        if len(words) > 2 and words[2] in getattr(command, "commands", {}):
            command = command.commands[words[2]]
        known = {flag for option in command.params for flag in option.opts}
        assert flags <= known | {"--help"}, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_every_status_and_column_is_explained():
    contract = (ROOT / "docs" / "data-contract.md").read_text()
    columns = OutputColumns(
        labels=("a",), probabilities=True, top_k=1, set_limit=np.float32(0)
    ).fields()
    for name in [*Status.names(), *(field.name for field in columns)]:
        assert f"`{name}`" in contract, name


def test_every_bundle_file_is_explained(model):
    page = (ROOT / "docs" / "bundle.md").read_text()
    for path in model.iterdir():
        assert f"`{path.name}`" in page, path.name


def test_every_command_has_help_that_starts_with_an_example():
    for name, command in COMMANDS.items():
        assert re.match(r".+\.\n\nExample: textbatch ", command.help), name


def test_the_readme_lists_every_command():
    listed = set(re.findall(r"^\| .*$", (ROOT / "README.md").read_text(), re.MULTILINE))
    rows = {name for row in listed for name in re.findall(r"`([a-z]+)[ `]", row.split(" | ")[0])}
    assert set(COMMANDS) <= rows


def test_contributing_names_what_there_is():
    """Names in backticks with a file before or after them, such as `FORMATS`."""
    page = (ROOT / "CONTRIBUTING.md").read_text()
    code = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    for name in re.findall(r"`(_?[A-Z]\w*|[a-z]+_\w+)`", page):
        assert re.search(rf"^ *(class |def |type )?{name}\b[ :=(]", code, re.MULTILINE), name


def test_no_page_names_a_path_of_one_machine():
    for page in PAGES:
        assert not re.search(r"(?<![\w.])/(work|home|root|tmp)/", page.read_text()), page


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_every_decision_has_its_sections_and_stands_in_both_lists(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    assert headings[0].startswith(f"{page.name[:4]} ")
    assert headings[1:] == ["Context", "Decision", "Consequences"]
    assert f"]({page.name}) | {headings[0][5:]} |" in (page.parent / "index.md").read_text()
    assert f"- decisions/{page.name}\n" in (ROOT / "mkdocs.yml").read_text()


def test_decisions_are_numbered_without_gaps():
    assert [int(page.name[:4]) for page in DECISIONS] == [*range(1, len(DECISIONS) + 1)]


def test_the_architecture_page_names_every_room():
    page = (ROOT / "docs" / "architecture.md").read_text()
    source = ROOT / "src" / "textbatch"
    for path in [*source.glob("[a-z]*.py"), *source.glob("*/__init__.py")]:
        name = f"{path.parent.name}/" if path.name == "__init__.py" else path.name
        assert f"`{name}`" in page, name
    for path in source.glob("*/*/__init__.py"):
        assert f"`{path.parent.name}`" in page, path


def test_pages_name_files_that_there_are():
    """Paths of the code in backticks, from the repository's root or from the package."""
    roots = (ROOT, ROOT / "src" / "textbatch")
    pages = [*TOP[::2], *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"]
    for page in pages:
        named = re.findall(r"`([a-z_]+/[\w/]+(?:\.py|/))`", page.read_text())
        for name in named:
            assert any((root / name).exists() for root in roots), f"{page.name}: {name}"


def test_every_test_that_the_security_page_names_is_there():
    root = ROOT
    text = (ROOT / "docs" / "security.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) >= 25
    for file, name in named:
        assert f"def {name}(" in (root / file).read_text(), (file, name)
    for line in text.splitlines():
        if line.startswith("| ") and "tests/" in line:
            assert all(
                cell.strip() in ("the same", "–") or "::test_" in cell
                for cell in line.strip("|").split("|")[2:]
            ), line
