# Everything that a person or a machine does with this checkout. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= auto
BENCHES ?=

# what is run a second time, on PostgreSQL
ON_BOTH := tests/unit/spine tests/unit/kit/jobs tests/attacks tests/stories tests/faults/test_keeper_is_frozen.py \
  tests/faults/test_backup_under_load.py tests/faults/test_restore_on_postgresql_is_killed.py \
  tests/faults/test_stream_is_killed.py tests/faults/test_worker_is_killed.py \
  tests/properties/test_stream_interleavings.py tests/unit/edges/dataplane/test_feeds.py

# a test starts hundreds of processes: none of them compiles what another has compiled
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run setup setup-dev test test-postgres test-fast check lint format types imports architecture \
        migrations reference bench lock setup-services clean

help: ## list the targets and what they do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' \
	  | while IFS=$$'\t' read -r name text; do printf '  make %-16s %s\n' "$$name" "$$text"; done

run: setup ## set up, make a demo house in var/demo, start it and walk one contact through; Ctrl-C stops it
	@exec $(BIN)/holdfast demo

setup: ## set up .venv with what Holdfast needs to run (done by `make run`; instant when nothing changed)
	@PYTHON="$(PYTHON)" bash tools/setup.sh run

setup-dev: ## the same with what its tests and checks need (done by `make test` and `make check`)
	@PYTHON="$(PYTHON)" bash tools/setup.sh dev

test: setup-dev ## set up and run all tests on SQLite, then what has a house on PostgreSQL (WORKERS=1: one core)
	@PYTHON="$(BIN)/python" WORKERS="$(WORKERS)" bash tools/test.sh $(ON_BOTH)

test-postgres: setup-dev ## the second half of `make test` alone
	@HOLDFAST_STORAGE=postgresql $(BIN)/python -m pytest -q -n $(WORKERS) $(ON_BOTH)

test-fast: setup-dev ## the tests without those that start servers or take long
	@$(BIN)/python -m pytest -q -n $(WORKERS) -m "not slow and not server"

check: lint types imports architecture ## lint, types, import contracts and the lints of our own

lint: setup-dev ## ruff: all rules, and the format
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

format: setup-dev ## let ruff mend what it can
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

types: setup-dev ## mypy, strict
	@$(BIN)/mypy

imports: setup-dev ## the layers and walls of the architecture (import-linter)
	@$(BIN)/lint-imports --no-logo

architecture: setup-dev ## sizes, names, clients in SQL, foreign keys: lints of our own
	@$(BIN)/python -m pytest -q -p no:randomly tests/architecture

reference: setup ## write the pages of docs/reference that follow from the code
	@$(BIN)/python tools/reference.py

migrations: setup-dev ## fail if a model has changed without a migration
	@HOLDFAST_HOME=$$(mktemp -d) $(BIN)/django-admin makemigrations --settings holdfast.settings --check --dry-run

bench: setup-dev ## measure on both storages, print the table and the hot path's profile (15 min; BENCHES="W1 W4 …")
	@$(BIN)/python -m bench $(BENCHES)

readme: setup ## write the README's excerpt anew: what the demo prints
	@$(BIN)/python tools/excerpt.py --write

lock: ## write both locks anew from pyproject.toml (needs uv and a package index)
	@command -v uv >/dev/null || { echo "make lock needs uv on PATH: https://docs.astral.sh/uv/" >&2; exit 2; }
	@uv pip compile pyproject.toml --extra build --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --quiet --output-file requirements.txt
	@uv pip compile pyproject.toml --extra build --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --quiet --output-file requirements-dev.txt

setup-services: ## install Chromium and PostgreSQL from Debian for the tests that need them (else they are skipped)
	@bash tools/services.sh

clean: ## remove what `make` made: .venv, caches and the demo house in var/demo
	@rm -rf $(VENV) var/demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
