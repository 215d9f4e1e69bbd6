# make demo: one conversation through the real plugin runtime into Langfuse, as trees.
# make test: everything that a contributor needs to pass. make package: the .difypkg, checked and tried.

PYTHON ?= python3.12
VENV := .venv
BIN := $(VENV)/bin
ROOMS := endpoints mapper payloads policy provider
CODE := $(ROOMS) demo marketplace tests main.py

# The gateway's real clients, each in an environment of its own.
CLIENTS := langfuse-2 langfuse-3 langfuse-4 langfuse-5 opentelemetry

.PHONY: demo serve test lint format unit fuzz soak package clients clean

demo: $(VENV)/ready $(VENV)/clients/langfuse-4/ready
	$(BIN)/python -m demo

serve: $(VENV)/ready $(VENV)/clients/langfuse-4/ready
	$(BIN)/python -m demo --serve

test: lint unit

lint: $(VENV)/ready
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/ready
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

clients: $(CLIENTS:%=$(VENV)/clients/%/ready)

unit: $(VENV)/ready clients
	$(BIN)/python -m pytest

fuzz: $(VENV)/ready
	$(BIN)/python -c "import dify_plugin; from tests.runtime.fuzz import main; main()"

soak: $(VENV)/ready
	$(BIN)/python -c "import dify_plugin; from tests.runtime.soak import main; main()"

package: $(VENV)/ready
	$(BIN)/python -m marketplace

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .hypothesis

$(VENV)/ready: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

$(VENV)/clients/%/ready: demo/clients/requirements/%.txt | $(VENV)/ready
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@
