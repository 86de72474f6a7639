"""The settings file: `textbatch.toml`, or the table `[tool.textbatch]` of `pyproject.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from textbatch.data.toml import parse_toml, read_written
from textbatch.errors import UsageError
from textbatch.options.credentials import quoted

#: Searched in the working directory, in this order.
SETTINGS_FILE, PROJECT_FILE = Path("textbatch.toml"), Path("pyproject.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsFile:
    """What a settings file holds. It is not checked yet.

    Attributes:
        path: The file.
        prefix: Prefix of the names of its tables.
        tables: Settings by command.
    """

    path: Path
    prefix: str
    tables: Mapping[str, Mapping[str, object]]

    def place(self, command: str) -> str:
        """The place of the settings of a command, such as `textbatch.toml [score]`."""
        return f"{self.path} [{self.prefix}{command}]"


def find_settings(named: Path | None) -> SettingsFile | None:
    """Read the settings file, if there is one.

    Args:
        named: The file that the user named; None looks in the working directory.

    Raises:
        UsageError: It is not TOML, or has something else where tables belong.
        TextbatchError: It cannot be read.
    """
    if named is None and not SETTINGS_FILE.is_file():
        return _of_project(PROJECT_FILE) if PROJECT_FILE.is_file() else None
    path = named or SETTINGS_FILE
    if path.name == PROJECT_FILE.name:
        return _of_project(path)
    return _checked(path, parse_toml(_read(path), path), "")


def _of_project(path: Path) -> SettingsFile | None:
    data = _read(path)
    # The file of another project must not stop a job.
    if b"textbatch" not in data:
        return None
    tool = parse_toml(data, path).get("tool")
    ours = tool.get("textbatch") if isinstance(tool, dict) else None
    return None if ours is None else _checked(path, ours, "tool.textbatch.")


def _read(path: Path) -> bytes:
    return read_written(path, missing=UsageError)


def _checked(path: Path, tables: object, prefix: str) -> SettingsFile:
    if not isinstance(tables, dict):
        raise UsageError(f"{path} has no table [{prefix[:-1]}]", "write it as a table")
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise UsageError(
                f"{path} has {quoted(name)} outside the commands' tables",
                f"put it into a table such as [{prefix}score]",
            )
    return SettingsFile(path=path, prefix=prefix, tables=tables)
