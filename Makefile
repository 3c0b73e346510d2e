# One command each; every target makes its own virtual environment from pyproject.toml alone.
# `make test PYTHON=python3.13` uses (and keeps) a second environment beside .venv.
PYTHON ?= python3
LOG ?=
ifeq ($(PYTHON),python3)
VENV := .venv
else
VENV := .venv-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
endif
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test lint types bench conformance clean

help: ## say what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is %d.%d: try make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(STAMP) ## replay an event log through the purchase-to-pay example (LOG=path for another log)
	@$(BIN)/python -m examples.purchase_to_pay $(LOG)

test: $(STAMP) ## run the tests and the documentation's examples, with branch coverage
	$(BIN)/python -m pytest --cov --cov-report=term

lint: $(STAMP) ## ruff, linter and formatter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## mypy and pyright, strict, and the completeness of the public types
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/python typing_tests/verify.py

bench: $(STAMP) ## measure, beside python-statemachine alone and its peers
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@$(BIN)/python -m benchmarks

conformance: $(STAMP) ## the slow comparisons: every claim about python-statemachine and the documents in CORPUS_DIR
	$(BIN)/python -m pytest -m conformance

clean: ## remove environments and caches
	rm -rf .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
