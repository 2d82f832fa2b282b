# Flowledger: everything a developer types. A target sets up what it needs; `make` alone lists the targets.
#
# One virtual environment, .venv, made from the lock files with their hashes. Stamps inside it hold the lock files'
# checksums, so it is brought up to date exactly when a lock file changes, and checkouts do not disturb each other.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
NODE   := tests/api/node
PACKAGES := domain commands projections streams api infra

PIP     := $(BIN)/python -m pip --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
           --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help run test test-long check format bench tck lock setup setup-dev setup-node setup-kafka clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup $(if $(filter local,$(FLOWLEDGER_KAFKA)),setup-kafka) ## start the whole platform on this machine (Ctrl-C stops it)
	@exec $(BIN)/flowledger dev

test: check setup-node setup-kafka ## lint, types, layers, then all tests but the long ones
	$(BIN)/python -m pytest -m "not long"

test-long: check setup-node setup-kafka ## all tests, the long ones too
	$(BIN)/python -m pytest

check: setup-dev ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup-dev ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## measure: this platform, the bare database, and the peers, in one run
	@$(call install,requirements-bench.lock,.bench)
	@! command -v npm >/dev/null || npm --prefix bench/feel/node ci --loglevel=error --no-audit --no-fund >/dev/null
	$(BIN)/flowledger bench

tck: setup-dev ## decisions and FEEL against the DMN technology compatibility kit: make tck CASES=cases.jsonl
	$(BIN)/python -m tests.tck $(CASES)

lock: setup-dev ## solve the dependencies again (add ARGS=--upgrade for newer versions)
	$(COMPILE) $(ARGS) --extra build pyproject.toml -o requirements.lock
	$(COMPILE) $(ARGS) --extra build --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(COMPILE) $(ARGS) --extra build --extra bench -c requirements.lock pyproject.toml -o requirements-bench.lock
	@! grep -n '://' requirements*.lock || { echo "a lock file names an address; it must not"; exit 1; }

# ---- set-up ---------------------------------------------------------------------------------------------------------

# $(call install,LOCK,STAMP): install LOCK's packages unless STAMP holds its checksum; then the checkout itself.
define install
set -e; sum=$$(cat $(1) pyproject.toml | cksum); \
if [ "$$(cat $(VENV)/$(2) 2>/dev/null)" != "$$sum" ]; then \
	echo "setting up $(VENV) from $(1) ..."; \
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV); \
	$(PIP) install -q --require-hashes -r $(1); \
	$(PIP) install -q --no-deps --no-build-isolation --no-index -e .; \
	echo "$$sum" > $(VENV)/$(2); \
fi
endef

setup:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Flowledger needs Python 3.11 or later; say which: make PYTHON=python3.11 ...")'
	@$(call install,requirements.lock,.run)

setup-dev:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Flowledger needs Python 3.11 or later; say which: make PYTHON=python3.11 ...")'
	@$(call install,requirements-dev.lock,.dev)
	@cat requirements.lock pyproject.toml | cksum > $(VENV)/.run

setup-node: # the npm client that the API is tested with
	@set -e; if [ -f $(NODE)/package-lock.json ]; then \
		sum=$$(cksum < $(NODE)/package-lock.json); \
		if [ "$$(cat $(NODE)/node_modules/.stamp 2>/dev/null)" != "$$sum" ]; then \
			echo "setting up $(NODE) ..."; \
			npm --prefix $(NODE) ci --loglevel=error --no-audit --no-fund; \
			echo "$$sum" > $(NODE)/node_modules/.stamp; \
		fi; \
	fi

setup-kafka: # the broker's jars, by Maven; needs Java 17 (the embedded default needs neither)
	@$(BIN)/python -m infra.kafka.jars

clean: ## remove what the tools cached (data and the environment stay)
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find $(PACKAGES) tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
