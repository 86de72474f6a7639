# The first Python from 3.11 to 3.13 that is found; name another with `make PYTHON=...`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$p && break; done)
BIN := .venv/bin

.PHONY: demo test test-faults test-airflow test-schedulers test-container check bench bench-accuracy reference \
	docs clean

demo: .venv/installed  ## Train and score on made-up tickets, in ./textbatch-demo
	$(BIN)/textbatch demo --folder textbatch-demo --overwrite

test: .venv/installed-dev  ## Run all tests
	$(BIN)/pytest

test-faults: .venv/installed-dev  ## Run the fault tests in full: hundreds of kills, failures, damaged files
	FAULTS=full $(BIN)/pytest \
		tests/system/faults tests/system/bad_inputs tests/system/storage tests/scoring/test_verify.py

test-airflow: .venv/installed-dev .venv-airflow/installed  ## Run the DAGs of jobs/ in a real Airflow
	$(BIN)/pytest tests/system/jobs/test_airflow.py

test-schedulers: .venv/installed-dev .venv-schedulers/installed  ## Run the Prefect and Dagster examples of jobs/
	$(BIN)/pytest tests/system/jobs/test_schedulers.py

test-container: .venv/installed-dev  ## Build the scoring image's environment and run it without Docker
	TEXTBATCH_TEST_CONTAINER=1 $(BIN)/pytest tests/system/container

check: .venv/installed-dev  ## Run the linters and the type checker, as CI does
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed-dev  ## Compare speed with peers, in one run
	$(BIN)/python -m benchmarks.speed

bench-accuracy: .venv/installed-dev  ## Train on public data sets, three seeds each
	$(BIN)/python -m benchmarks.accuracy

reference: .venv/installed-dev  ## Write docs/reference from the code
	$(BIN)/python -m tools.reference

docs: .venv/installed-dev  ## Build the documentation into ./site
	$(BIN)/python -m pip install --quiet --group docs
	$(BIN)/mkdocs build --strict

clean:  ## Remove the virtual environments and the demo's folder
	rm -rf .venv .venv-airflow .venv-schedulers textbatch-demo site

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

# Airflow pins much that textbatch does not, so it has an environment of its own, with the operator.
.venv-airflow/installed: .venv/bin/python tests/system/jobs/airflow-requirements.txt tests/system/jobs/airflow-constraints.txt
	$(BIN)/python -m venv --clear .venv-airflow
	.venv-airflow/bin/python -m pip install --quiet \
		--requirement tests/system/jobs/airflow-requirements.txt \
		--constraint tests/system/jobs/airflow-constraints.txt
	.venv-airflow/bin/python -m pip install --quiet --no-deps --editable .
	touch $@

.venv-schedulers/installed: .venv/bin/python tests/system/jobs/schedulers-requirements.txt
	$(BIN)/python -m venv --clear .venv-schedulers
	.venv-schedulers/bin/python -m pip install --quiet --requirement tests/system/jobs/schedulers-requirements.txt
	.venv-schedulers/bin/python -m pip install --quiet --no-deps --editable .
	touch $@
