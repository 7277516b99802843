# `make demo` and `make test` work on a fresh clone with Python (3.10 or newer) and make: they create .venv themselves.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint test-lowest clean

demo: $(VENV)/.installed
	$(BIN)/ccsr-bench run --method bicubic bicubic-dither --dataset sample
	@echo
	$(BIN)/ccsr-bench table --dataset sample

test: $(VENV)/.installed-dev lint
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@if [ -x $(BIN)/biome ]; then $(BIN)/biome check --error-on-warnings; \
	else echo "Biome is not published for this platform, so the report's JavaScript and CSS are not checked."; fi

# The suite with every dependency at its declared lower bound.
test-lowest: pyproject.toml
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --constraint constraints-lowest.txt --editable '.[ccsr,spandrel,pyiqa,lpips,piq,isolated,figures,dev]'
	.venv-lowest/bin/python -m pytest

$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "Installing into $(VENV); torch is large, so this takes a few minutes."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing what the tests need."
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[ccsr,spandrel,pyiqa,lpips,piq,isolated,figures,dev]'
	touch $@

clean:
	rm -rf .venv .venv-lowest .mypy_cache .pytest_cache .ruff_cache
