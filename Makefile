# Opsnest. `make` alone lists the targets.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PINS := constraints.txt pyproject.toml $(wildcard packages/*/pyproject.toml)
PINNED := --quiet --python $(BIN)/python --constraint constraints.txt --build-constraint constraints.txt
PACKAGES := --editable packages/owlette-sdk --editable 'packages/restarrow[dlt]'

CLOUDS := postgres,bigquery,snowflake,redshift,databricks,s3,gcs,azure,delta,iceberg

# one more than there are cores, as tests also wait; those that share a load stay together
SIDE_BY_SIDE := --numprocesses $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --dist loadgroup

# tests with a target of their own, as they need more than Python
ELSEWHERE := and not browser and not destinations

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast test-long test-browser test-destinations test-sdk fuzz check format pages bench pins clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.setup  ## make .venv with everything in it, at the pinned versions

# compiled, as the tests start some hundred processes

.venv/.setup: .venv/.demo $(PINS)
	$(BIN)/uv pip install $(PINNED) --compile-bytecode --group dev $(PACKAGES) \
	  --editable 'packages/opssim[pytest]' \
	  --editable 'packages/opsnest[demo,postgres,show,notebooks,mcp,dagster,dask]'
	@touch $@

# what the demo needs, and no more: it is the first thing that people try
.venv/.demo: $(PINS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Opsnest is developed with Python 3.11: make setup PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(BIN)/uv pip install $(PINNED) $(PACKAGES) --editable packages/opssim --editable 'packages/opsnest[demo]'
	@touch $@

demo: .venv/.demo  ## load four simulated platforms into opsnest_demo.duckdb
	$(BIN)/opsnest demo

test: setup  ## run the tests, but for those that take minutes
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not long $(ELSEWHERE)"

test-long: setup  ## run the tests that take minutes: platforms that live on, load after load
	$(BIN)/python -m pytest --numprocesses auto -m "long and not destinations and not browser"

test-fast: setup  ## run the tests that take no more than a few seconds each
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not slow and not long $(ELSEWHERE)"

test-destinations: .venv/.destinations  ## load into every destination, or what stands in for it; installs them
	scripts/install_postgres.sh
	scripts/install_emulators.sh
	$(BIN)/python scripts/install_extensions.py
	$(BIN)/python -m pytest --numprocesses auto -m "destinations and not long" tests/destinations

.venv/.destinations: .venv/.setup
	$(BIN)/uv pip install $(PINNED) --group destinations $(PACKAGES) --editable 'packages/opsnest[$(CLOUDS)]'
	@touch $@

test-browser: setup  ## open the dashboard and the notebooks in Chromium, which is installed if need be
	scripts/install_chromium.sh
	$(BIN)/python -m pytest --numprocesses auto -m browser tests/browser

test-sdk: setup  ## build the SDK, and test it on every Python that it supports and is here
	$(BIN)/python packages/owlette-sdk/scripts/all_pythons.py

SECONDS ?= 600
TARGETS ?= $(filter-out __init__,$(basename $(notdir $(wildcard fuzz/targets/*.py))))

fuzz: .venv/.fuzz  ## look for inputs that break a parser: TARGETS="bodies pages" SECONDS=60
	@broken=; for target in $(TARGETS); do echo "== $$target"; \
	  $(BIN)/python -m fuzz.run $$target -max_total_time=$(SECONDS) || broken="$$broken $$target"; \
	done; test -z "$$broken" || { echo "found something:$$broken (fuzz/found)"; exit 1; }

.venv/.fuzz: .venv/.setup
	$(BIN)/uv pip install $(PINNED) --group fuzz
	@touch $@

check: setup  ## check format, lint, types, imports and spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy packages/*/src packages/*/tests packages/*/scripts tests pipelines notebooks examples benchmarks fuzz
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/codespell

format: setup  ## format the code and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

pages: setup  ## write the documentation page of each source from its catalogue
	$(BIN)/python -m opsnest.catalogue.page docs/sources

bench: setup  ## measure, and write the figures to benchmarks/results
	$(BIN)/python benchmarks/rest_to_duckdb.py

pins: setup  ## work the pinned versions out anew
	$(BIN)/uv pip compile --quiet --upgrade --python-version 3.11 --no-emit-index-url \
	  --no-emit-find-links --no-header --annotation-style line --group dev --group destinations --group fuzz \
	  packages/owlette-sdk/pyproject.toml packages/restarrow/pyproject.toml \
	  packages/opssim/pyproject.toml packages/opsnest/pyproject.toml pins.in \
	  --all-extras --no-emit-package opssim --no-emit-package owlette-sdk \
	  --no-emit-package restarrow --output-file constraints.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 --no-emit-index-url \
	  --no-emit-find-links --no-header --annotation-style line \
	  packages/owlette-sdk/scripts/pythons.in --output-file packages/owlette-sdk/scripts/pythons.txt

clean:  ## remove what the other targets made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
	  opsnest_demo.duckdb opsnest_demo.duckdb.wal .opsnest_demo benchmarks/results fuzz/found fuzz/grown
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
