# `make demo` and `make test` do everything on a machine that has Python 3.11 or later and make.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	command -v $$python >/dev/null && $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PROMPT ?= A serene mountain lake at sunrise
OUT ?= demo.mp4
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
PROJECTS := sdk/python/pyproject.toml renderer/pyproject.toml server/pyproject.toml requirements/lock.txt

.PHONY: help setup demo test check bench bench-engine chaos fuzz matrix coverage stills serve clean
.DEFAULT_GOAL := help

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: $(VENV)/.runtime ## Make .venv; .venv/bin/meshapi then works

$(VENV)/.runtime: $(PROJECTS)
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed (set PYTHON=...)" >&2; exit 1; }
	@echo "Installing into $(VENV) (about 150 MB, once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --constraint requirements/lock.txt --editable 'sdk/python[cli]' --editable renderer --editable server
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt sdk/go/toolchain.txt
	@echo "Installing the tools of the tests ..."
	@$(PIP) --constraint requirements/lock.txt --requirement requirements/dev.txt --requirement sdk/go/toolchain.txt
	@touch $@

demo: $(VENV)/.runtime ## Serve, generate a video through the SDK, save it as demo.mp4 (PROMPT="..." OUT=...)
	@$(BIN)/python examples/demo.py --prompt "$(PROMPT)" --out "$(OUT)"

test: $(VENV)/.dev ## Run every test, in two lanes side by side
	@GO=$(BIN)/go $(BIN)/python tests/everything.py

check: $(VENV)/.dev ## Format, lint, types, generated files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy sdk/python/meshapi renderer/meshapi_renderer server/meshapi_server
	@$(BIN)/python sdk/python/generate_sync.py --check
	@$(BIN)/python tests/audit.py

bench: $(VENV)/.dev ## Measure, each beside its limit in the same run
	@$(BIN)/python bench/api.py
	@$(BIN)/python bench/sdk.py
	@$(BIN)/python bench/sdk_go.py
	@$(BIN)/python bench/render.py
	@$(BIN)/python bench/files.py

bench-engine: $(VENV)/.dev ## Measure the engine on both databases, and beside LiteLLM's proxy
	@$(BIN)/python bench/engine
	@$(BIN)/python bench/engine/litellm.py
	@$(BIN)/python bench/engine/five.py
	@$(BIN)/python bench/engine/tenants.py

CHAOS ?= --tasks 10000 --kills 100
chaos: $(VENV)/.dev ## Kill, freeze and restart everything on both databases, then audit (CHAOS="--seed 7 ...")
	@$(BIN)/python -m tests.chaos --database sqlite $(CHAOS)
	@$(BIN)/python -m tests.chaos --database postgres $(CHAOS)
	@$(BIN)/python -m tests.chaos --database sqlite --every-upstream --tasks 3000 --kills 40

FUZZ ?= 2000
fuzz: $(VENV)/.dev ## Fuzz requests, connections and signatures (FUZZ=examples of each)
	@MESHAPI_FUZZ_EXAMPLES=$(FUZZ) $(BIN)/python -m pytest -q --timeout=3600 server/tests/fuzz

matrix: $(VENV)/.dev ## Run the Python SDK's tests on every Python there is
	@tests/sdk/matrix.sh

coverage: $(VENV)/.dev ## Measure which lines of both SDKs the tests run
	@$(BIN)/python tests/sdk/measure_coverage.py

stills: $(VENV)/.runtime ## Write stills, hours and a gallery of clips to out/stills
	@$(BIN)/python -m meshapi_renderer.contact_sheet --out out/stills

serve: $(VENV)/.runtime ## Serve on 127.0.0.1:8080
	@$(BIN)/meshapi serve

clean: ## Remove what was made here
	rm -rf $(VENV) .demo out demo.mp4 .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
