"""The Dockerfile, parsed as far as these tests need it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass
class Stage:
    """One FROM: the image or stage it begins with, and its steps as (word, rest)."""

    image: str
    steps: list[tuple[str, str]] = field(default_factory=list)


def stages() -> dict[str, Stage]:
    """The stages by name, in order."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", "")
    found: dict[str, Stage] = {}
    for line in re.findall(r"^[A-Z]+ .*", text, re.MULTILINE):
        word, rest = line.split(maxsplit=1)
        if word == "FROM":
            image, name = rest.split(" AS ")
            stage = found[name] = Stage(image)
        else:
            stage.steps.append((word, rest))
    return found
