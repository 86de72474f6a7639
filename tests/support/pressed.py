"""Runs a command on a terminal, presses Ctrl-C at a chosen moment, and tells what is left."""

from __future__ import annotations

import os
import pty
import re
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: Presses Ctrl-C when the command does something for the first time, as a terminal does: all
#: processes of the group hear it.
_PRESSING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
moment, folder, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
pressed = False
def inside(path):
    if isinstance(path, int):
        return False
    path = os.path.abspath(os.fsdecode(path))
    return path.startswith(folder) and not path.startswith(folder + "/tmp")
def heard(event, given):
    global pressed
    if pressed:
        return
    if moment == "write":
        there = event == "open" and inside(given[0]) and given[2] & os.O_CREAT
    elif moment == "publish":
        there = event == "os.rename" and inside(given[1])
    elif moment == "read":
        there = event == "open" and str(given[0]).endswith("weights.safetensors")
    else:
        there = event == "import" and given[0] == moment
    if there:
        pressed = True
        for _ in range(times):
            os.killpg(0, signal.SIGINT)
sys.argv = ["textbatch", *sys.argv[4:]]
sys.addaudithook(heard)
"""
COMMAND = "from textbatch.cli.entry import main\nmain()\n"


@dataclass(frozen=True, kw_only=True)
class Left:
    """What is left of a command.

    Attributes:
        code: Its exit code.
        screen: The lines of the terminal.
        hides_cursor: Whether the cursor is hidden.
        files: Names of all files and folders in its directory, without those that were there.
    """

    code: int
    screen: tuple[str, ...]
    hides_cursor: bool
    files: tuple[str, ...]


def press_ctrl_c(
    arguments: Sequence[str | Path],
    *,
    folder: Path,
    moment: str,
    times: int = 1,
    code: str = COMMAND,
) -> Left:
    """Run `textbatch` in a folder, with a folder beside it for temporary files.

    Args:
        arguments: Of the command.
        folder: Where it runs.
        moment: `read` (the model's weights), `write` and `publish` (in the folder), or the name of
            a module whose import is the moment.
        times: How often Ctrl-C is pressed.
        code: What runs.
    """
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    before = set(_names(folder))
    program = [sys.executable, "-c", _PRESSING + code, moment, str(folder), str(times)]
    with warnings.catch_warnings():  # the child only starts the program, whatever threads there are
        warnings.simplefilter("ignore", DeprecationWarning)
        pid, screen = pty.fork()
    if not pid:
        os.chdir(folder)
        variables = {"TERM": "xterm-256color", "COLUMNS": "80", "TMPDIR": str(temporary)}
        os.execve(sys.executable, [*program, *map(str, arguments)], {**os.environ, **variables})
    shown = b""
    try:
        while data := os.read(screen, 65_536):
            shown += data
    except OSError:  # Linux's way to say that the other side has closed
        pass
    os.close(screen)
    _, status = os.waitpid(pid, 0)
    lines, hidden = drawn(shown.decode("utf-8", "replace"))
    files = tuple(name for name in _names(folder) if name not in before)
    code = os.waitstatus_to_exitcode(status)
    return Left(code=code, screen=lines, hides_cursor=hidden, files=files)


def drawn(shown: str) -> tuple[tuple[str, ...], bool]:
    """What a terminal has on its screen, and whether it hides the cursor."""
    lines, row, column, hidden = [""], 0, 0, False
    for found in re.finditer(r"\x1b\[([?0-9;]*)([A-Za-z])|[\r\n]|[^\x1b\r\n]+|\x1b", shown):
        number, action = found[1], found[2]
        if found[0] == "\n":
            row += 1
        elif found[0] == "\r":
            column = 0
        elif action == "A":
            row = max(0, row - int(number or 1))
        elif action == "K":
            lines[row] = "" if number == "2" else lines[row][:column]
        elif action in ("l", "h") and number == "?25":
            hidden = action == "l"
        elif not action and found[0] != "\x1b":
            kept = lines[row].ljust(column)
            lines[row] = kept[:column] + found[0] + kept[column + len(found[0]) :]
            column += len(found[0])
        lines += [""] * (row + 1 - len(lines))
    return tuple(line.rstrip() for line in lines), hidden


def _names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
