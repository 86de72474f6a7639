"""Globs, for the names of files and objects alike."""

from __future__ import annotations

import fnmatch
import re

_ANY_FOLDERS = "(?:[^/]+/)*"
#: Of a glob: a set of characters, or a character.
_TOKENS = re.compile(r"\[!?\]?[^\]]*\]|.", re.DOTALL)


def expression_of(pattern: str) -> re.Pattern[str]:
    """Turn a glob into a regular expression, which matches a name or a folder above it."""
    *folders, last = pattern.split("/")
    found = "".join(_ANY_FOLDERS if part == "**" else f"{_part_of(part)}/" for part in folders)
    return re.compile(found + (".+" if last == "**" else rf"{_part_of(last)}(?:/|\Z)"), re.DOTALL)


def expression_of_part(pattern: str) -> re.Pattern[str]:
    """Turn a part of a glob, without slashes, into a regular expression for a whole name."""
    return re.compile(_part_of(pattern), re.DOTALL)


def _part_of(pattern: str) -> str:
    return "".join(map(_expression_of_token, _TOKENS.findall(pattern)))


def _expression_of_token(token: str) -> str:
    if token in ("?", "*"):
        return "[^/]" if token == "?" else "[^/]*"
    if len(token) == 1:
        return re.escape(token)
    plain = fnmatch.translate(token).removeprefix("(?s:").removesuffix(")\\Z")
    return plain.replace("[^", "[^/", 1)
