# One command each; every target makes its own virtual environment from pyproject.toml alone.
# `make test PYTHON=python3.13` uses (and keeps) a second environment beside .venv.
PYTHON ?= python3
LOG ?=
ARGS ?=
COVER ?= --cov --cov-report=term
# Tests share the processors, a file at a time: what is set up for a file is set up once, and a document runs in order.
# The files keep their order, as the longest come first.
WORKERS ?= auto
SHARED := --numprocesses=$(WORKERS) --maxprocesses=8 --dist=loadfile --no-loadscope-reorder

ifeq ($(PYTHON),python3)
VENV := .venv
else
VENV := .venv-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo unknown)
endif
BIN := $(VENV)/bin
UPSTREAM := $(VENV)-upstream
STAMP := $(VENV)/.installed
INSTALL := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --editable

# An environment whose Python has gone is made anew.
$(shell $(BIN)/python -c '' 2>/dev/null || rm -f $(STAMP))

# What members do, once more on python-statemachine's own engines; `make conformance` takes all of the orchestrator.
CORE := $(addprefix tests/orchestrator/test_,engines.py rules.py steps.py system.py links.py guards.py joint_events.py \
	joint_calls.py failure.py injection.py delays.py properties.py)

.PHONY: help demo test lint types bench conformance nightly clean

help: ## say what there is
	@sed -nE 's/^([a-z]+):.*## /\1\t/p' Makefile | expand -t 14

# The stamp goes first and comes back last: what was interrupted in between is thrown away by the next run.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is %d.%d: try make PYTHON=python3.12" % sys.version_info[:2])'
	@echo "Making $(VENV), once."
	@rm -f $@ && rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) '.[dev]'
	@touch $@

demo: $(STAMP) ## replay an event log, LOG=path or the one in the example
	@$(BIN)/python -m examples.purchase_to_pay $(if $(LOG),'$(LOG)')

test: $(STAMP) ## the tests and the documentation's examples, with coverage
	$(BIN)/python -m pytest $(SHARED) $(COVER)
	$(BIN)/python -m pytest $(SHARED) --engine=stock $(CORE)

lint: $(STAMP) ## ruff, linter and formatter
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

types: $(STAMP) ## mypy, pyright, and what the public types promise
	$(BIN)/python -m mypy
	$(BIN)/python -m pyright --pythonpath $(BIN)/python
	$(BIN)/python typing_tests/verify.py

bench: $(VENV)/.bench ## what an event costs, beside its peers; ARGS=--quick for a first look
	@$(BIN)/python -m benchmarks $(ARGS)

$(VENV)/.bench: $(STAMP)
	@$(INSTALL) '.[bench]'
	@touch $@

conformance: $(STAMP) $(UPSTREAM)/.installed ## python-statemachine's own tests on our engines, ours on its engines, and our slow ones
	@$(UPSTREAM)/bin/python -m conformance $(ARGS)
	$(BIN)/python -m pytest -m conformance
	$(BIN)/python -m pytest --engine=stock tests/orchestrator

nightly: $(STAMP) ## 50,000 random charts on stock engines and on ours, some forty minutes
	@for seed in 1 2 3 4 5 6 7 8 9 10; do \
		$(BIN)/python -m pytest tests/engine/test_twins.py --hypothesis-profile=nightly --hypothesis-seed=$$seed || exit 1; \
	done

# An environment of its own: what python-statemachine's tests need is nothing to do with ours.
$(UPSTREAM)/.installed: pyproject.toml
	@rm -f $@ && $(PYTHON) -m venv $(UPSTREAM)
	@$(UPSTREAM)/bin/python -m pip install --quiet --quiet --disable-pip-version-check --editable '.[upstream]'
	@touch $@

clean: ## remove environments and caches
	rm -rf .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .conformance
