# make train | make test | make docs | make bench: each creates .venv from constraints.txt when it is
# missing, with the packages that it needs: for training few, for the others all.
# make test-real: sweeps on a real SLURM, Ray cluster and PostgreSQL, and results in a real ImageJ. The
# tests start and end them; takes minutes.
# make test-lowest: the tests with the lowest versions that pyproject.toml allows; with TORCH=VERSION,
# this torch is installed first, in the build that pip finds, and kept.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TRAINS := $(VENV)/.trains
INSTALLED := $(VENV)/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
ARGS ?=
LOWEST := .venv-lowest

.PHONY: train test test-real test-lowest test-napari lint format docs bench clean
train: $(TRAINS)
	@$(if $(ARGS),,echo "Training a small U-Net on made-up images of cells, without network or account.")
	@$(if $(ARGS),,echo "It ends in minutes with scores, pictures and a report. Others: make train ARGS=...")
	$(BIN)/python train.py $(ARGS)

test: lint docs
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

# Where a program is missing, its tests are skipped, and say how to install it.
test-real: $(INSTALLED)
	$(BIN)/python -m pytest -m real -rs tests $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# torch comes first and alone, so that nothing else picks another build of it.
$(TRAINS): pyproject.toml constraints.txt
	@echo "Installing the tested versions of all packages into $(VENV), once; this takes minutes."
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "unet_exp needs Python 3.11 or later; name one with make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) torch
	$(PIP) -e .
	touch $@

$(INSTALLED): $(TRAINS)
	$(PIP) -e ".[dev]"
	touch $@

# The lowest versions that pyproject.toml allows. Their own deprecation warnings are no errors here.
test-lowest:
	test -x $(LOWEST)/bin/uv || { $(PYTHON) -m venv $(LOWEST) && $(LOWEST)/bin/python -m pip install --quiet uv; }
	$(if $(TORCH),$(LOWEST)/bin/python -m pip install --quiet --no-deps torch==$(TORCH))
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct -e ".[optuna,ray,slurm,tensorboard,test]"
	PYTHONWARNINGS=ignore::DeprecationWarning $(LOWEST)/bin/python -m pytest -n 2 -W ignore::DeprecationWarning $(ARGS)

# Pages in docs/_build/html. A warning is an error.
docs: $(INSTALLED)
	$(BIN)/sphinx-build -W --keep-going -q docs docs/_build/html

# The plugin, in an environment of its own: napari takes 500 MB. Its own warnings are no errors here.
test-napari:
	test -x .venv-napari/bin/python || $(PYTHON) -m venv .venv-napari
	.venv-napari/bin/python -m pip install --quiet -c constraints.txt torch
	.venv-napari/bin/python -m pip install --quiet -c constraints.txt -e ".[napari,test]" pytest-qt
	QT_QPA_PLATFORM=offscreen .venv-napari/bin/python -m pytest -o filterwarnings=ignore tests/napari_plugin

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) $(LOWEST) .venv-napari docs/_build docs/examples dist .pytest_cache .ruff_cache .hypothesis
