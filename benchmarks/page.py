"""Tables of measured and simulated numbers in a page, between marks that readers do not see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path


def put_tables(page: Path, tables: Mapping[str, str]) -> None:
    """Put tables into a page.

    Args:
        page: The page.
        tables: By the names in the marks.

    Raises:
        SystemExit: A mark is missing.
    """
    page.write_text(with_tables(page.read_text("utf-8"), tables), "utf-8")


def with_tables(text: str, tables: Mapping[str, str]) -> str:
    """A page's text with the tables between its marks.

    Args:
        text: The page.
        tables: By the names in the marks.

    Raises:
        SystemExit: A mark is missing.
    """
    for name, one in tables.items():
        begin, end = f"<!-- table: {name} -->\n", "<!-- end -->"
        marks = re.compile(f"({re.escape(begin)}).*?({end})", re.DOTALL)
        text, count = marks.subn(lambda found, one=one: f"{found[1]}\n{one}\n\n{found[2]}", text)
        if count != 1:
            raise SystemExit(f"the page has no mark for the table {name!r}")
    return text
