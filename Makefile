# make train | make test | make bench: each creates .venv from constraints.txt when it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
ARGS ?=

.PHONY: train test lint format bench clean
train: $(INSTALLED)
	$(BIN)/python train.py $(ARGS)

test: lint
	$(BIN)/python -m pytest -n 2 $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# torch comes first and alone, so that nothing else picks another build of it.
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "unet_exp needs Python 3.11 or later; name one with make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) dist .pytest_cache .ruff_cache .hypothesis
