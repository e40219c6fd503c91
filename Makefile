# `make run` starts everything, `make test` proves it; both set up what they need first. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
SOURCES := monitor checks grafana tests
# Two cores run a browser and its server; more workers only make timings worse.
TEST_JOBS ?= 2
# In the order of the folders: by the number of their tests, the longest files, which have few, would all come last.
SHARED := --dist loadfile --no-loadscope-reorder
# What of the lab to run: the beginnings of ids, the seeds, how many at a time.
ONLY ?=
SEED ?= 1
JOBS ?= 2

.PHONY: help run test quick soak bench lab lab-report lint format check grafana validate lock clean setup setup-dev

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## Start the bundled shop and the monitor; prints where to look
	@$(BIN)/faultline demo --with-monitor --config config/monitor.yaml

test: setup-dev ## Run the tests (a few minutes)
	@$(BIN)/python -m pytest -n $(TEST_JOBS) $(SHARED) -m "not soak" $(ARGS)

quick: setup-dev ## Run the tests that need no browser and take no time
	@$(BIN)/python -m pytest -n $(TEST_JOBS) $(SHARED) -m "not soak and not slow and not browser" $(ARGS)

soak: setup-dev ## Run the long ones: kills, clock steps, floods, outages followed to the page
	@$(BIN)/python -m pytest -m soak --timeout 3600 $(ARGS)

bench: setup-dev ## Measure against peers in the same run; ARGS="--only http" picks one
	@$(BIN)/python -m tests.benchmarks $(ARGS)

lab: setup-dev ## Judge labelled faults and score the verdicts; ONLY="O01 T", SEED="1,2,3", JOBS=2
	@$(BIN)/python -m tests.lab --only "$(ONLY)" --seeds "$(SEED)" --jobs $(JOBS) --score

lab-report: setup-dev ## Publish the scores of the last lab run: docs/accuracy.md and tests/lab/results/latest.json
	@$(BIN)/python -m tests.lab.scoring data/lab/runs.jsonl --document docs/accuracy.md --json tests/lab/results/latest.json

lint: setup-dev ## Style, types, layers and spelling
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/codespell $(SOURCES) docs README.md CONTRIBUTING.md CHANGELOG.md

format: setup-dev ## Put the code into its form
	@$(BIN)/ruff check --fix --quiet $(SOURCES) || true
	@$(BIN)/ruff format $(SOURCES)

grafana: setup-dev ## Write the dashboards anew, check them, and draw them into data/previews
	@$(BIN)/python -m grafana.src
	@$(BIN)/python -m pytest -q tests/grafana
	@$(BIN)/python -m grafana.preview

validate: setup ## Check the shipped configuration and say what it will cost
	@$(BIN)/faultline validate --config config/monitor.yaml

check: lint test ## All that CI runs

lock: setup-dev ## Resolve the dependencies anew, with hashes and without addresses
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	  --custom-compile-command "make lock" --group build --extra postgresql pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	  --custom-compile-command "make lock" --group dev --extra postgresql --extra otel -c requirements.txt pyproject.toml -o requirements-dev.txt

clean: ## Remove the environment and all that runs left
	@rm -rf .venv data dist .mypy_cache .ruff_cache .pytest_cache

setup: .venv/.ready
setup-dev: .venv/.ready-dev

.venv/.ready: requirements.txt pyproject.toml setup.sh
	@./setup.sh run
	@touch $@

.venv/.ready-dev: requirements.txt requirements-dev.txt pyproject.toml setup.sh
	@./setup.sh dev
	@touch .venv/.ready $@
