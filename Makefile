# The first Python from 3.11 to 3.13 that is found; name another with `make PYTHON=... VENV=...`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet
# For the environments beside it: uv unpacks a gigabyte in a third of the time, and files that stand in two
# environments are one on the disk.
UV := $(BIN)/uv pip install --quiet --compile-bytecode
# Processes that run tests at the same time: one for each core, with one thread each. A file stays in
# one process, which makes its bundles once. The longest files come first (tests/support/marks.py).
WORKERS ?= auto
PARALLEL := --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder
QUICK := not slow and not trains
# Tests that need nothing but what `score` needs: others write their files with other libraries.
OTHER_WRITERS := output/test_footer_schemas.py readers/test_labelled.py readers/test_parquet_faults.py \
	readers/test_parquet_types.py readers/test_table_formats.py storage/test_remote.py
LOWEST := $(OTHER_WRITERS:%=--ignore=tests/data/%) \
	tests/text tests/data tests/scoring/test_score.py tests/scoring/test_verify.py \
	tests/scoring/test_inspect.py tests/model/bundle tests/model/test_predictor.py \
	tests/cli/test_help.py tests/system/test_scoring_alone.py
# A training from rows to a scored file, and what each library of the extra `train` is there for.
LOWEST_TRAIN := tests/training/test_train.py tests/training/split tests/model/linear tests/model/vectors \
	tests/report/html
AZURITE_RELEASE := 3.35.0
ARROW_RELEASES := 18.1.0 21.0.0 23.0.1

.PHONY: help demo test test-quick test-faults test-airflow test-schedulers test-engines test-roundtrip test-container test-azure test-lowest \
	coverage coverage-quick check lock bench bench-accuracy reference docs clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | sort | expand -t 18

demo: $(VENV)/installed  ## Train and score on made-up tickets, in ./textbatch-demo
	$(BIN)/textbatch demo --folder textbatch-demo --overwrite

test: $(VENV)/installed-dev  ## Run all tests
	$(BIN)/pytest $(PARALLEL) $(PYTEST)

test-quick: $(VENV)/installed-dev  ## Run the tests that are neither slow nor train
	$(BIN)/pytest $(PARALLEL) -m '$(QUICK)' $(PYTEST)

test-faults: $(VENV)/installed-dev  ## Run the fault tests in full: hundreds of kills, failures, damaged files
	FAULTS=full $(BIN)/pytest $(PARALLEL) \
		tests/system/faults tests/system/bad_inputs tests/system/storage tests/scoring/test_verify.py

test-airflow: $(VENV)/installed-dev .venv-airflow/installed  ## Run the DAGs of jobs/ in a real Airflow
	$(BIN)/pytest tests/system/jobs/test_airflow.py

test-schedulers: $(VENV)/installed-dev .venv-schedulers/installed  ## Run the Prefect and Dagster examples of jobs/
	$(BIN)/pytest tests/system/jobs/test_schedulers.py

test-engines: $(VENV)/installed-dev .venv-engines/installed  ## Run the pages about Spark, Ray and Dask in the real engines
	ENGINES=all $(BIN)/pytest tests/system/engines

test-roundtrip: $(VENV)/installed-dev .venv-spark/installed .venv-arrow/installed  ## Read what `score` passes through with Spark and others
	$(BIN)/pytest $(PARALLEL) tests/system/roundtrip tests/system/test_parquet_corpus.py $(PYTEST)

test-container: $(VENV)/installed-dev  ## Build the scoring image's environment and run it without Docker
	TEXTBATCH_TEST_CONTAINER=1 $(BIN)/pytest tests/system/container

test-azure: $(VENV)/installed-dev .venv-azurite/installed  ## Run the tests of Azure with its emulator, which needs npm
	TEXTBATCH_TEST_AZURE=1 $(BIN)/pytest --numprocesses $(WORKERS) tests/system/storage/test_azure.py

test-lowest: .venv-lowest/installed .venv-lowest-train/installed  ## Run tests with the oldest releases that are allowed
	.venv-lowest/bin/pytest $(PARALLEL) -m '$(QUICK)' $(LOWEST) $(PYTEST)
	.venv-lowest-train/bin/pytest $(PARALLEL) $(LOWEST_TRAIN) $(PYTEST)

coverage: PYTEST += --cov=textbatch --cov-report=term:skip-covered
coverage: test  ## Run all tests, and print how much of the code they run in the test processes

coverage-quick: PYTEST += --cov=textbatch --cov-report=term:skip-covered
coverage-quick: test-quick  ## Run the quick tests, and print how much of the code they run

check: $(VENV)/installed-dev  ## Run the linters and the type checker, as CI does
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: $(VENV)/installed-dev  ## Write constraints.txt: a version for each package, for Python 3.11 to 3.13
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate \
		--extra all --extra gpu --group dev --group docs --custom-compile-command 'make lock' \
		--output-file constraints.txt pyproject.toml

bench: $(VENV)/installed-dev  ## Compare speed with peers, in one run
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.tradeoff

bench-accuracy: $(VENV)/installed-dev  ## Train on public data sets, three seeds each
	$(BIN)/python -m benchmarks.accuracy

reference: $(VENV)/installed-dev  ## Write docs/reference and the Python functions' parameters from the code
	$(BIN)/python -m tools.python_api
	$(BIN)/python -m tools.reference

docs: $(VENV)/installed-dev  ## Build the documentation into ./site
	$(PIP) --constraint constraints.txt --group docs
	$(BIN)/mkdocs build --strict

clean:  ## Remove the virtual environments and the demo's folder
	rm -rf .venv .venv-* textbatch-demo site

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: no Python from 3.11 to 3.13 found; set PYTHON=" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/installed: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) --constraint constraints.txt --editable '.[train]'
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) --constraint constraints.txt --editable '.[all]' --group dev
	touch $@

# Airflow pins much that textbatch does not, so it has an environment of its own, with the operator.
.venv-airflow/installed: $(VENV)/installed-dev tests/system/jobs/airflow-requirements.txt tests/system/jobs/airflow-constraints.txt
	$(BIN)/python -m venv --clear .venv-airflow
	$(UV) --python .venv-airflow/bin/python \
		--requirement tests/system/jobs/airflow-requirements.txt \
		--constraint tests/system/jobs/airflow-constraints.txt
	$(UV) --python .venv-airflow/bin/python --no-deps --editable .
	touch $@

.venv-spark/installed: $(VENV)/installed-dev tests/system/roundtrip/spark-requirements.txt
	$(BIN)/python -m venv --clear .venv-spark
	$(UV) --python .venv-spark/bin/python --requirement tests/system/roundtrip/spark-requirements.txt
	touch $@

.venv-arrow/installed: $(VENV)/installed-dev
	for release in $(ARROW_RELEASES); do \
		$(BIN)/python -m venv --clear .venv-arrow/$$release \
		&& $(UV) --python .venv-arrow/$$release/bin/python numpy pyarrow==$$release || exit 1; done
	touch $@

.venv-azurite/installed:
	npm install --silent --no-audit --no-fund --prefix .venv-azurite azurite@$(AZURITE_RELEASE)
	touch $@

.venv-schedulers/installed: $(VENV)/installed-dev tests/system/jobs/schedulers-requirements.txt
	$(BIN)/python -m venv --clear .venv-schedulers
	$(UV) --python .venv-schedulers/bin/python --requirement tests/system/jobs/schedulers-requirements.txt
	$(UV) --python .venv-schedulers/bin/python --no-deps --editable .
	touch $@

.venv-engines/installed: $(VENV)/installed-dev tests/system/engines/requirements.txt
	$(BIN)/python -m venv --clear .venv-engines
	$(UV) --python .venv-engines/bin/python --constraint constraints.txt \
		--requirement tests/system/engines/requirements.txt
	$(UV) --python .venv-engines/bin/python --no-deps --editable .
	touch $@

# The oldest releases that the bounds allow and that have wheels for this Python.
.venv-lowest-train/installed: LOWEST_EXTRA := --extra train
.venv-lowest/installed .venv-lowest-train/installed: pyproject.toml $(VENV)/installed-dev
	$(BIN)/python -m venv --clear $(@D)
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --only-binary :all: --group lowest \
		$(LOWEST_EXTRA) --python $(BIN)/python --no-header --output-file $(@D)/requirements.txt pyproject.toml
	$(UV) --python $(@D)/bin/python --requirement $(@D)/requirements.txt
	$(UV) --python $(@D)/bin/python --no-deps --editable .
	touch $@
