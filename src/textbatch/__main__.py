"""`python -m textbatch`."""

from textbatch.cli.entry import main

main()
