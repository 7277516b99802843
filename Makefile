# `make demo` and `make test` work on a fresh clone with Python (3.10 or newer) and make: they create .venv themselves.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# The tests of a file run in one process, several files at a time. Two threads, because a sum depends on their number.
PYTEST := -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile
test test-lowest: export OMP_NUM_THREADS ?= 2
# Threads that wait for each other sleep, as on the command line, so that the processes do not slow each other down.
test test-lowest: export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: demo test lint docs test-lowest clean

DEMO_METRICS := psnr ssim lpips dists niqe

demo: $(VENV)/.installed
	$(BIN)/ccsr-bench prepare --method real-esrgan-ncnn --metrics lpips dists niqe
	$(BIN)/ccsr-bench run --method bicubic real-esrgan-ncnn bicubic-dither --dataset sample --metrics $(DEMO_METRICS)
	@echo
	$(BIN)/ccsr-bench table --dataset sample
	$(BIN)/ccsr-bench report

test: $(VENV)/.installed-dev lint
	$(BIN)/python $(PYTEST)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if [ -x $(BIN)/biome ]; then $(BIN)/biome check --error-on-warnings; \
	else echo "Biome is not published for this platform, so the report's JavaScript and CSS are not checked."; fi

# The documentation, into site/; a broken link or an undocumented name of the API is an error.
docs: $(VENV)/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The suite with every dependency at its declared lower bound.
test-lowest: pyproject.toml
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --constraint constraints-lowest.txt --editable '.[all,dev]'
	.venv-lowest/bin/python $(PYTEST)

$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "Installing into $(VENV): 250 MB without an NVIDIA GPU, more than 3 GB with one."
	$(PYTHON) -m venv $(VENV)
	.ci/install-torch $(BIN)/python torch torchvision
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[spandrel]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing what the tests and the documentation need."
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[all,docs,dev]'
	touch $@

clean:
	rm -rf .venv .venv-lowest site .mypy_cache .pytest_cache .ruff_cache
