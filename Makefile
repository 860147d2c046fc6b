# One environment in .venv, made once and reused: the second run of anything here touches no network.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
EXTRAS := torch tensorflow jax

.DEFAULT_GOAL := help
.PHONY: help install compare report atlas power baseline versions backends test test-all bench golden lint format clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(READY) ## create the environment

# A framework that does not install is not an error: it is absent, and every table says so.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with make PYTHON=…" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up .venv, once: a few minutes of downloads" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(PIP) --editable . --group dev
	@for extra in $(EXTRAS); do $(PIP) --editable ".[$$extra]" || echo "$$extra did not install: it will be absent" >&2; done
	@touch $@

compare: $(READY) ## compare the frameworks on the quick suite; writes out/latest
	$(BIN)/python -m harness compare

report: $(READY) ## render out/latest again, with the atlas and the detection tables
	$(BIN)/python -m harness report out/latest --write

atlas: $(READY) ## test NaN, masks, unusual shapes and labels; writes out/atlas
	$(BIN)/python -m harness atlas

power: $(READY) ## measure which planted bugs the checks detect; writes out/power
	$(BIN)/python -m harness power

baseline: $(READY) ## compare out/latest with the accepted results; exits with 1 if any changed
	$(BIN)/python -m harness baseline diff out/latest

versions: $(READY) ## compare two versions: make versions A=jax==0.9.2 B=jax==0.10.2
	$(BIN)/python -m harness versions $(A) $(B)

backends: $(READY) ## list the installed frameworks and their versions
	$(BIN)/python -m harness backends

# A file's tests stay in one process, so that its workers start once; xdist 3.8 forgets its groups under pytest 9.2.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test: $(READY) ## run the quick tests, on fewer backends and formats
	$(PYTEST) -m "not slow"

test-all: $(READY) ## run all tests, as CI does
	$(PYTEST)

bench: $(READY) ## measure speeds, as ratios in one run
	$(BIN)/python -m tests.bench

golden: $(READY) ## accept today's reports as the expected ones
	$(BIN)/python -m pytest tests/test_reports.py tests/test_formats.py tests/test_ledger.py --accept

lint: $(READY) ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY) ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what was generated, the environment too
	rm -rf $(VENV) out dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
