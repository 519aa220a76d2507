# Everything happens in .venv inside the checkout; `make` alone lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Tests mostly wait for servers; each worker has its own. A file stays with one worker, so that its servers start once.
WORKERS ?= $(shell n=$$(nproc); echo $$((n > 3 ? n : 3)))
PYTEST = $(BIN)/pytest -n $(WORKERS) --dist loadfile
TEST_SERVERS := rabbitmq-server postgresql mariadb-server chromium systemd prometheus
CACHES := .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.PHONY: help demo test test-all lint bench lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 16

demo: .venv/.run ## play real oslo.messaging services on a private broker, record and serve them (SERVE=0: do not stay)
	@.ci/servers rabbitmq-server
	@$(BIN)/rpcscope demo $(if $(filter 0,$(SERVE)),--no-serve)

test: .venv/.dev ## run the tests on real servers (some minutes)
	@.ci/servers $(TEST_SERVERS)
	@$(PYTEST) -m "not long"

test-all: .venv/.dev ## run the tests and those that take long
	@.ci/servers $(TEST_SERVERS)
	@$(PYTEST)

lint: .venv/.dev ## style, formatting, types and what a room may import
	$(BIN)/ruff check --output-format concise .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=.:collectors:web:alembic $(BIN)/lint-imports

bench: .venv/.dev ## run every benchmark in turn
	@.ci/servers $(TEST_SERVERS)
	@for benchmark in benchmarks/*.py; do echo "== $$benchmark"; $(BIN)/python "$$benchmark"; done

lock: ## choose the newest versions of all dependencies and write requirements/ anew
	@.ci/lock

clean: ## remove the environment, builds and caches
	rm -rf .venv dist build $(CACHES)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A failed install leaves no stamp, so that the next make begins it again.
.venv/.run: requirements/run.txt pyproject.toml
	@.ci/venv
	@echo "Installing rpcscope into .venv"
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements/dev.txt pyproject.toml collectors/oslo-tap/pyproject.toml
	@.ci/venv
	@echo "Installing rpcscope and its development tools into .venv"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation -e . -e collectors/oslo-tap
	@touch .venv/.run $@
