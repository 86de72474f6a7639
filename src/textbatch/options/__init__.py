"""Options: what a command, its settings and its Python function take.

* `classes`: classes of options, in which each is stated once.
* `option`: one option, and the checks of a given value.
* `byte_size`: sizes in bytes, as people write them.
* `credentials`: places with a password are refused where they are given.
"""

from __future__ import annotations

from textbatch.options.classes import Options, beside, option, options, options_of
from textbatch.options.option import Option, short_of

__all__ = ["Option", "Options", "beside", "option", "options", "options_of", "short_of"]
