# The front door. Needs make and Python 3.11 or newer with venv; everything else is installed into .venv from the
# pinned requirements.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUNTIME := $(VENV)/.runtime-installed
DEVELOPMENT := $(VENV)/.development-installed
WORKERS ?= 3
SEED ?= 1

.DEFAULT_GOAL := help
.PHONY: help env run test lint format drill bench docs lock clean

help:  ## Show what make can do
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/'

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Hostwright needs Python 3.11 or newer with the venv module."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements/runtime.lock requirements/build.lock pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/runtime.lock -r requirements/build.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEVELOPMENT): requirements/dev.lock $(RUNTIME)
	$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@

env: $(DEVELOPMENT)  ## Make .venv with everything that tests and checks need

run: $(RUNTIME)  ## Serve on 127.0.0.1:8000 with SQLite in var/
	$(BIN)/hostwright run

test: $(DEVELOPMENT)  ## Run every test at bounded size, with fixed seeds
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not drill" -p randomly --randomly-seed=$(SEED) \
		--hypothesis-seed=$(SEED) --session-timeout=780 -q

lint: $(DEVELOPMENT)  ## Check style, types, layers, spelling and the declarations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/hostwright check

format: $(DEVELOPMENT)  ## Put the sources into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

drill: $(DEVELOPMENT)  ## Run the long tests at full size
	$(BIN)/pytest -m drill -p randomly --randomly-seed=$(SEED) --hypothesis-seed=$(SEED) --timeout=3600 -s

bench: $(DEVELOPMENT)  ## Measure generated against hand-written endpoints
	$(BIN)/python -m tests.benchmark.bench --check

docs: $(DEVELOPMENT)  ## Renew what the documents repeat of the code
	$(BIN)/python -m host.cli.reference docs/*.md

# uv is needed only to renew the pinned requirements, never to install from them.
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --quiet
lock:  ## Renew the pinned requirements (needs uv)
	$(LOCK) -o requirements/runtime.lock
	$(LOCK) --group dev -c requirements/runtime.lock -o requirements/dev.lock
	uv pip compile --group build --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --quiet -c requirements/dev.lock -o requirements/build.lock

clean:  ## Remove what the other targets made, except var/
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
