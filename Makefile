# `make demo` and `make test` need Python 3.11 (to 3.13) and make, nothing else: they create .venv and install into it first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.installed
FOREIGN := hris_pipeline_tests/end_to_end/foreign
NODE_STAMP := $(FOREIGN)/node_modules/.installed

.DEFAULT_GOAL := help
.PHONY: help demo ui test lint bench chaos clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

demo: $(STAMP) ## three nights in the life of a sample company
	@$(BIN)/python -m hris_pipeline.sandbox.demo

ui: $(STAMP) ## the Dagster UI with the demo in it, on 127.0.0.1
	@$(BIN)/python -m hris_pipeline.sandbox.ui $(if $(PORT),--port $(PORT))

# in the order of the folders, where the long files come early: xdist alone begins with the files of most tests and ends with a long one
test: $(STAMP) $(if $(shell command -v npm),$(NODE_STAMP)) ## all tests
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(STAMP) ## ruff, mypy, who may import whom and who may ask the warehouse
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/python -m hris_pipeline_tests.imports
	@$(BIN)/python -m hris_pipeline_tests.sql

bench: $(STAMP) ## the benchmark table (minutes, and some gigabytes of disk)
	@$(BIN)/python -m benchmarks

chaos: $(STAMP) ## random nights under random faults: make chaos MINUTES=30 SEED=1 FAULTS=-kill (NIGHTS, TOTAL: how many)
	@$(BIN)/python -m hris_pipeline_tests.end_to_end.chaos $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) \
		$(if $(NIGHTS),--nights $(NIGHTS)) $(if $(TOTAL),--total $(TOTAL)) $(if $(FAULTS),--faults=$(FAULTS))

# a SCIM server on Node.js, which some tests provision into; where it cannot be installed they are skipped, and say so
$(NODE_STAMP): $(FOREIGN)/package-lock.json
	@cd $(FOREIGN) && npm ci --silent --no-audit --no-fund && touch node_modules/.installed || echo "SCIMMY could not be installed: the tests marked 'foreign_servers' will be skipped."

clean: ## remove the virtual environment and what tools leave behind
	@rm -rf $(FOREIGN)/node_modules .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "No virtual environment could be made. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Installing into .venv (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
