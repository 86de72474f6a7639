"""`textbatch doctor`."""

from __future__ import annotations

import os

from textbatch.cli.command import Given, extras_beside
from textbatch.cli.console import error_line, print_json, print_line
from textbatch.cli.options import JsonOptions
from textbatch.data.storage.location import Location, location_of
from textbatch.options import option, options


@options
class DoctorCommand(JsonOptions):
    """What `textbatch doctor` takes."""

    model: Location | None = option(
        "Model whose golden rows are answered on this machine.",
        first=True,
        default=None,
        flags=("--model", "-m"),
        variable="TEXTBATCH_MODEL",
        of=location_of,
        unset="none",
        use="read",
        decides=False,
    )
    tensorflow: bool = option(
        "Import TensorFlow and Keras too, which takes seconds.", default=False, decides=False
    )


def doctor_command(given: Given[DoctorCommand]) -> int:
    """Tell what this machine has, and what is wrong with it.

    Example: textbatch doctor --model model

    What it prints can go into a bug report: it has no paths, no texts and no names of users or
    machines. The exit code is 0 if nothing is wrong.
    """
    from textbatch.cli.doctor.examine import examine
    from textbatch.cli.doctor.tables import lines

    # Not `made`: that looks at places through libraries that may be broken.
    config = given.options.given(given.values)
    model = None if config.model is None else os.fspath(config.model)
    found, told = examine(extras_beside(given.context), model, slow=config.tensorflow)
    if config.json:
        print_json(found.to_dict())
    else:
        for line in lines(found):
            print_line(line)
    return error_line("Doctor", told, code=found.exit_code) if found.problems else 0
