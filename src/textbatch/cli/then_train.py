"""The `train` command that comes after another one."""

from __future__ import annotations

import os
from typing import Any

from textbatch.cli.command import Given, file_of, settings_beside
from textbatch.cli.settings.resolve import values_of
from textbatch.options import Options


def train_words(given: Given[Any], config: Options) -> list[str]:
    """The words of the `train` command for the rows of this command.

    Args:
        given: What this command was given.
        config: Its options.
    """
    from textbatch.report.next_steps import words_of
    from textbatch.training.config.groups import RowOptions

    return ["train", *words_of(config, RowOptions), *overwriting(given)]


def overwriting(given: Given[Any]) -> list[str]:
    """The flag that `train` needs where there is a model already; nothing where it needs none.

    Args:
        given: What this command was given.
    """
    # Variables and the settings file may say where `train` writes, and that it may replace.
    found = values_of(settings_beside(given.context)["train"].found(file_of(given.context)))
    taken = os.path.lexists(found["model"]) and found["if_exists"] == "fail"
    return ["--overwrite"] if taken else []
