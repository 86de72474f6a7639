"""Options that only the command line has."""

from __future__ import annotations

from typing import Literal

from textbatch.options import Options, option, options

LogFormat = Literal["text", "json"]


@options
class JsonOptions(Options):
    """What is printed."""

    json: bool = option("Print one JSON record to stdout.", default=False, decides=False)


@options
class PrintOptions(JsonOptions):
    """What is printed and logged."""

    log_format: LogFormat = option(
        "Form of messages; json writes each as an object on a line.",
        default="text",
        variable="TEXTBATCH_LOG_FORMAT",
        decides=False,
    )
