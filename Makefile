# The first Python from 3.11 to 3.13 that is found; name another with `make PYTHON=...`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$p && break; done)
BIN := .venv/bin

.PHONY: demo test test-faults check bench bench-accuracy clean

demo: .venv/installed  ## Train and score on made-up tickets, in ./textbatch-demo
	$(BIN)/textbatch demo --folder textbatch-demo --overwrite

test: .venv/installed-dev  ## Run all tests
	$(BIN)/pytest

test-faults: .venv/installed-dev  ## Run the fault tests in full: hundreds of kills, failures, damaged files
	FAULTS=full $(BIN)/pytest tests/faults tests/bad_inputs tests/storage tests/test_verification.py

check: .venv/installed-dev  ## Run the linters and the type checker, as CI does
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/installed-dev  ## Compare speed with peers, in one run
	$(BIN)/python -m benchmarks.speed

bench-accuracy: .venv/installed-dev  ## Train on public data sets, three seeds each
	$(BIN)/python -m benchmarks.accuracy

clean:  ## Remove the virtual environment and the demo's folder
	rm -rf .venv textbatch-demo

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "make: no Python from 3.11 to 3.13 found; set PYTHON=" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@
