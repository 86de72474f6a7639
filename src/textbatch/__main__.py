"""`python -m textbatch`."""

from textbatch.cli.app import main

main()
