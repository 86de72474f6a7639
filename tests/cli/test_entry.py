from __future__ import annotations

import subprocess
import sys


def test_the_search_for_dead_cycles_does_not_slow_the_start():
    code = (
        "import gc, sys\n"
        "from textbatch.cli.entry import main\n"
        "sys.argv = ['textbatch', '--version']\n"
        "began = sum(one['collections'] for one in gc.get_stats())\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "assert gc.isenabled()\n"
        "print(sum(one['collections'] for one in gc.get_stats()) - began)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # With Python's own number of objects there are about forty.
    assert int(run.stdout.splitlines()[-1]) < 5
