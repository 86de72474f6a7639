"""What `--require` says: a measure of the new model, a comparison, and a bound.

    condition  =  measure  (">=" | ">" | "<=" | "<")  bound
    bound      =  ["-"] term  { ("+" | "-") term }
    term       =  number | "current"
    measure    =  "accuracy" | "macro_f1" | "ece" | "answered"
               |  ("precision" | "recall" | "f1") "(" label ")"

A label with brackets or quotes in it stands in quotes of the other kind. Nothing else is
understood, and nothing is ever run as code.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from textbatch.errors import UsageError

#: Measures of a model over all rows, and of one label.
MEASURES = ("accuracy", "macro_f1", "ece", "answered")
LABEL_MEASURES = ("precision", "recall", "f1")

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?%?)
      | (?P<compare>>=|<=|>|<)
      | (?P<sign>[+-])
      | \(\s*"(?P<double>[^"]*)"\s*\)
      | \(\s*'(?P<single>[^']*)'\s*\)
      | \((?P<plain>[^()"']+)\)
      | (?P<word>\w+)
    )""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda value, bound: value >= bound - _ROUNDING,
    "<=": lambda value, bound: value <= bound + _ROUNDING,
    ">": lambda value, bound: value > bound + _ROUNDING,
    "<": lambda value, bound: value < bound - _ROUNDING,
}
#: 0.902 - 0.002 is not 0.9 in binary numbers.
_ROUNDING = 1e-12
_LONGEST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What is measured.

    Attributes:
        name: One of `MEASURES` or `LABEL_MEASURES`.
        label: The label that it is measured of; None for all rows.
    """

    name: str
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One condition.

    Attributes:
        text: As it was given.
        measure: What is measured, of the new model and of the current one.
        compare: The comparison: `>=`, `>`, `<=` or `<`.
        currents: How often the current model's measure is added to the bound.
        number: The rest of the bound.
    """

    text: str
    measure: Measure
    compare: str
    currents: int
    number: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a condition.

        Raises:
            UsageError: It is none.
        """
        parser = _Parser(text)
        measure = parser.measure()
        compare = parser.take("compare", "a comparison: >=, >, <= or <")
        currents, number = parser.bound()
        return cls(
            text=text.strip(), measure=measure, compare=compare, currents=currents, number=number
        )

    def bound(self, current: float | None) -> float | None:
        """The bound; None if it needs a current model and there is none.

        Args:
            current: The current model's measure; None if there is no such measure.
        """
        if not self.currents:
            return self.number
        return None if current is None else self.currents * current + self.number

    def is_met(self, value: float | None, bound: float) -> bool:
        """Whether the new model reaches the bound. A measure that is not there reaches none.

        Args:
            value: The new model's measure; None for one that no row defines.
            bound: The bound.
        """
        return value is not None and _COMPARE[self.compare](value, bound)


class _Parser:
    """Reads a condition from left to right.

    Args:
        text: The condition.
    """

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position, text = 0, text.strip()
        if len(text) > _LONGEST:
            raise UsageError("--require is too long", "give one condition each")
        self._text = text
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise self._error(f"character {position + 1} is not understood")
            kind = found.lastgroup or ""
            self._tokens.append((kind, found[kind]))
            position = found.end()

    def take(self, kind: str, wanted: str) -> str:
        """The next token, which must be of a kind.

        Args:
            kind: The kind.
            wanted: What should stand here, for the message.
        """
        if not self._tokens or self._tokens[0][0] != kind:
            found = repr(self._tokens[0][1]) if self._tokens else "its end"
            raise self._error(f"at {found} there should be {wanted}")
        return self._tokens.pop(0)[1]

    def measure(self) -> Measure:
        """The measure."""
        names = ", ".join([*MEASURES, *(f"{one}(LABEL)" for one in LABEL_MEASURES)])
        name = self.take("word", f"a measure: {names}")
        if name in MEASURES:
            return Measure(name=name)
        if name not in LABEL_MEASURES:
            raise self._error(f"there is no measure {name!r}; there are {names}")
        kind = self._next() if self._next() in ("double", "single") else "plain"
        label = self.take(kind, f"a label in brackets, as {name}(spam)")
        return Measure(name=name, label=label.strip() if kind == "plain" else label)

    def bound(self) -> tuple[int, float]:
        """The bound: how often `current`, and the sum of the numbers."""
        currents, number = 0, 0.0
        sign = self._sign() if self._next() == "sign" else 1
        while True:
            if self._next() == "number":
                number += sign * self._number()
            elif self.take("word", "a number or the word current") == "current":
                currents += sign
            else:
                raise self._error("a bound has numbers and the word current, with + or - between")
            if not self._tokens:
                return currents, number
            sign = self._sign()

    def _next(self) -> str:
        return self._tokens[0][0] if self._tokens else ""

    def _sign(self) -> int:
        return 1 if self.take("sign", "+ or -") == "+" else -1

    def _number(self) -> float:
        text = self.take("number", "a number")
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        if not math.isfinite(value):
            raise self._error("a number is too large")
        return value

    def _error(self, told: str) -> UsageError:
        return UsageError(
            f"--require {self._text!r}: {told}", "write it as 'accuracy >= current - 0.002'"
        )
