"""Templates for each label, from a TOML file of the user: made-up texts beside the real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import pyarrow as pa

from textbatch.data.toml import parse_toml
from textbatch.errors import UsageError
from textbatch.text.normalization import split_tokens
from textbatch.training.augment.templates import SLOT, fill, pick

_SHAPE = 'give a table [patterns] with a list of texts for each label, and [slots]: see "augment"'


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledTemplates:
    """Patterns that texts of a label are made from.

    Attributes:
        patterns: Patterns for each label.
        slots: Phrases for each slot.
    """

    patterns: Mapping[str, Sequence[str]]
    slots: Mapping[str, Sequence[str]]

    @classmethod
    def parse(cls, text: str, name: str) -> LabelledTemplates:
        """Read templates from TOML, and check that each pattern can be filled.

        Args:
            text: The content of the file.
            name: Name of the file, for messages.

        Raises:
            UsageError: It is not TOML or has another shape. Or a slot has no phrases or holds
                itself. Or a pattern can give a text without a word.
        """
        tables = parse_toml(text.encode(), name)
        patterns, slots = tables.pop("patterns", None), tables.pop("slots", {})
        if tables or not patterns or not (_is_lists(patterns) and _is_lists(slots)):
            raise UsageError(f"{name} has another shape", _SHAPE)
        for label, texts in patterns.items():
            for number, pattern in enumerate(texts, 1):
                # Filling it once is no proof: a bad slot may be in a phrase that was not drawn.
                if not _has_word(pattern, slots, ()):
                    raise UsageError(
                        f"{name} pattern {number} of '{label}' can come out without a word",
                        "add a word to it, or to the phrases of its slots",
                    )
        return cls(patterns=patterns, slots=slots)

    def texts(self, random: Random, label: str, count: int) -> list[str]:
        """Make up texts of a label.

        Args:
            random: Chooses patterns and phrases.
            label: The label. It has patterns.
            count: How many texts.
        """
        patterns = self.patterns[label]
        return [fill(random, pick(random, patterns), self.slots) for _ in range(count)]


def _is_lists(table: object) -> bool:
    return isinstance(table, dict) and all(
        isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts)
        for texts in table.values()
    )


def _has_word(pattern: str, slots: Mapping[str, Sequence[str]], inside: tuple[str, ...]) -> bool:
    """Whether a pattern has a word, whatever fills its slots. All slots are checked."""
    words, _ = split_tokens(pa.array([SLOT.sub(" ", pattern)]))
    found = len(words) > 0
    for name in SLOT.findall(pattern):
        if name not in slots:
            raise UsageError(f"template slot {{{name}}} has no phrases", "add some for that name")
        if name in inside:
            raise UsageError(f"template slot {{{name}}} holds itself", "take it out of its phrases")
        phrases = [_has_word(phrase, slots, (*inside, name)) for phrase in slots[name]]
        found |= all(phrases)
    return found
