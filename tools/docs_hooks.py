"""What mkdocs does with pages that were written to be read in the repository too."""

from __future__ import annotations

import posixpath
import re
from typing import Any


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Turn links to files outside the documentation into their text."""
    folder = posixpath.dirname(page.file.src_uri)

    def plain(link: re.Match[str]) -> str:
        outside = posixpath.normpath(posixpath.join(folder, link[2])).startswith("..")
        return link[1] if outside else link[0]

    return re.sub(r"\[([^\]]+)\]\(([^)#\s:]+)(?:#[^)]*)?\)", plain, markdown)
